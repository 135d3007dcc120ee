"""Parcels: what the steps of a chain or a fan-out hand to each other, small or as large as was asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TypedDict

from core.instrument.artifacts import Reference, atomic, check, refer
from core.instrument.errors import ArtifactError
from core.instrument.step import Attempt
from core.pipelines.like_steps.settings import LikeSteps

BLOCK = 64


class Parcel(TypedDict):
    """JSON, so that every engine can carry it. Either `payload` or `reference` holds the content."""

    digest: str
    """SHA-256 over what its step computed, what it was given, and its content: a loss changes all that follow."""
    content: str
    """SHA-256 of the content, hexadecimal."""
    payload: str
    reference: Reference | None


def pack(attempt: Attempt, name: str, made: str, received: tuple[Parcel, ...]) -> Parcel:
    """Make a step's parcel from what it computed and what it was given; with a payload of the size asked for."""
    settings = attempt.settings(LikeSteps)
    payload = _payload(name, settings.payload_bytes)
    content = hashlib.sha256(payload.encode()).hexdigest()
    parts = (name, made, content, *sorted(parcel["digest"] for parcel in received))
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    if settings.channel == "engine":
        return Parcel(digest=digest, content=content, payload=payload, reference=None)
    path = attempt.config.run_dir / "parcels" / name
    with atomic(path) as temporary:
        temporary.write_text(payload)
    return Parcel(digest=digest, content=content, payload="", reference=refer(path))


def unpack(parcel: Parcel) -> str:
    """Return a parcel's content; ArtifactError if it is not what was packed."""
    reference = parcel["reference"]
    payload = Path(check(reference)).read_text() if reference else parcel["payload"]
    if hashlib.sha256(payload.encode()).hexdigest() != parcel["content"]:
        raise ArtifactError(f"parcel {parcel['digest'][:12]}: content changed on its way; run its step again")
    return payload


def _payload(name: str, size: int) -> str:
    """Text of the size in bytes, different for each step and hard to compress, the same in every run."""
    blocks = (hashlib.sha256(f"{name}:{number}".encode()).hexdigest() for number in range(-(-size // BLOCK)))
    return "".join(blocks)[:size]
