"""Loopback ports of an engine: drawn where nobody else draws, and still free right before it starts."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Mapping
from itertools import islice

from bench.contract.errors import EngineError

PORTS = range(20_000, 32_768)
"""Where an engine's ports are drawn from: below those that Linux hands out by itself (ip_local_port_range)."""


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now, all different, and that the kernel gives to nobody who does not ask for them.

    Raises EngineError if there are not so many.
    """
    drawn = secrets.SystemRandom().sample(PORTS, len(PORTS))
    found = list(islice((port for port in drawn if _is_free(port)), count))
    if len(found) < count:
        raise EngineError(f"{count} free ports are needed on 127.0.0.1; end what listens at {PORTS[0]} to {PORTS[-1]}")
    return found


def require_free(ports: Mapping[str, int]) -> None:
    """Raise EngineError if another program has taken a port since it was drawn.

    It could answer in the engine's place, so this is asked right before the engine starts.
    """
    for name, port in ports.items():
        if not _is_free(port):
            raise EngineError(f"port {port} ({name}) was taken by another program since it was drawn; run again")


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended do not count
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
