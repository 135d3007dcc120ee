"""How any engine is asked to do something: what it says that it cannot do just now is asked for again, and counted.

Only an answer is followed, never a silence: who does not answer at all may have heard. What merely looks (at a run's
state, at whether a service is ready) is not repeated here, as whoever looks does so again anyway.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

import httpx

from bench.contract.endpoint import NotYetError

REPEATED_FOR_S = 10.0
"""How long a request is repeated, the same for every engine."""
NOT_YET_LIMIT_S = 60.0
"""How long an engine may say that it cannot do it yet."""
PAUSE_S = 0.25
REFUSED = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Not done, for the time being: RFC 6585, 4, and RFC 9110, 15.6.4."""
UNKNOWN = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
"""Perhaps done, as a gateway has lost sight of it: repeated only where twice is as good as once (RFC 9110, 9.2.2)."""
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
T = TypeVar("T")


@dataclass(slots=True)
class Asked:
    """What the client had to do until an engine had accepted what it was asked for."""

    until: float
    """By `time.monotonic`: until when requests are repeated."""
    repeats: int = 0
    """Requests that were repeated."""
    waited_s: float = 0.0
    """Time in which the engine said that it could not do it yet."""


_ASKED: ContextVar[Asked | None] = ContextVar("_ASKED", default=None)


def ask(what: Callable[[], T]) -> tuple[T, Asked]:
    """What came of it, and what it took. httpx's and the API's errors once patience has ended."""
    begin = time.monotonic()
    asked = Asked(begin + REPEATED_FOR_S)
    while True:
        token = _ASKED.set(asked)
        try:
            return what(), asked
        except NotYetError:
            if time.monotonic() - begin > NOT_YET_LIMIT_S:
                raise
        finally:
            _ASKED.reset(token)
        time.sleep(PAUSE_S)
        asked.waited_s = time.monotonic() - begin
        asked.until = time.monotonic() + REPEATED_FOR_S


class Repeating(httpx.HTTPTransport):
    """The harness's connections to engines."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; of something asked for, the first that is not a temporary refusal, or the last in time."""
        while True:
            response = super().handle_request(request)
            asked = _ASKED.get()
            if asked is None or not _may_be_repeated(request.method, response.status_code):
                return response
            pause_s = pause(response.headers)
            if time.monotonic() + pause_s > asked.until:
                return response
            response.close()
            asked.repeats += 1
            time.sleep(pause_s)


def pause(headers: Mapping[str, str]) -> float:
    """Seconds until a request may be repeated: as the engine says (RFC 9110, 10.2.3), or else the usual ones."""
    told = headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return max(PAUSE_S, float(told))
    try:
        at = parsedate_to_datetime(told)
    except ValueError:
        return PAUSE_S
    return max(PAUSE_S, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _may_be_repeated(method: str, status: int) -> bool:
    return status in REFUSED or (status in UNKNOWN and method in IDEMPOTENT)
