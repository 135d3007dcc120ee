"""A deployed pipeline file that is broken: how soon its user can see that, unasked, and once the engine was asked."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contract.errors import EngineError
from bench.contract.words import Ability, Status
from bench.observe import watching
from bench.plan.scenarios.record import ASKED
from bench.run.conductor import Conductor
from bench.session.bring_up import READY_LIMIT_S, Session, wait_until
from core.instrument.journal import now_ns

NAME = "import_error"
MISSING_MODULE = "pandaz"
UNASKED_LIMIT_S = 10.0
"""For how long an engine is given to notice a broken file by itself: one that watches its files takes a few seconds."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the engine's API gave its user, and how soon."""

    visible_s: float | None
    """Seconds from the error (or, where only a run can tell, from its submission) until the API showed it."""
    text: str
    source: str


def visible(conductor: Conductor, session: Session) -> tuple[Shown, Shown]:
    """Break the file of the conducted pipeline by an import of a module that is not there, and mend it each time.

    First what is shown once the engine was asked to read the file again, or a run was submitted where it takes no such
    request; then what is shown unasked: the source says why where nothing is.
    """
    unasked = _unasked(conductor, session)
    asks, _ = _means(session)
    if not callable(asks) and unasked.visible_s is not None:
        return unasked, unasked
    return _on_request(conductor, session), unasked


def pipeline_file(session: Session, offered: str) -> Path:
    """The deployed file in which the engine's code for a pipeline begins: its own, or that of the binding."""
    return Path(session.workspace.script(offered)[0])


def _means(session: Session) -> tuple[Any, Any]:
    """How the engine is asked to read a file again, and how what it knows of it is seen; each may be unsupported."""
    offers = session.endpoint.abilities()
    return offers[Ability.READ_AGAIN], offers[Ability.DEPLOYMENT_ERROR]


def _unasked(conductor: Conductor, session: Session) -> Shown:
    _, known = _means(session)
    if not callable(known):
        return Shown(None, "", f"not supported: {known.reason}")
    with _broken(conductor, session) as edited_ns:
        try:
            return _shown(known, edited_ns, UNASKED_LIMIT_S, "error of the deployed file over the API, unasked")
        except EngineError:
            return Shown(None, "", f"> {UNASKED_LIMIT_S:.0f} s")


def _on_request(conductor: Conductor, session: Session) -> Shown:
    asks, known = _means(session)
    with _broken(conductor, session) as edited_ns:
        if not (callable(asks) and callable(known)):
            return _shown_by_a_run(conductor, session)
        asks(conductor.workload.offered)
        return _shown(known, edited_ns, READY_LIMIT_S, "error of the deployed file over the API, on request")


@contextmanager
def _broken(conductor: Conductor, session: Session) -> Iterator[int]:
    """Meanwhile the file has the bad import; gives the instant of the edit. Mended, the engine is waited for."""
    file = pipeline_file(session, conductor.workload.offered)
    original = file.read_text()
    file.write_text(_with_bad_import(original))
    try:
        yield now_ns()
    finally:
        file.write_text(original)
    _wait_mended(session, conductor.workload.offered)


def _shown(known: Callable[[], str], since_ns: int, limit_s: float, source: str) -> Shown:
    """What the API shows of the file as soon as it shows something; EngineError if it does not within the limit."""
    wait_until(lambda: bool(known()), "import error shown by the API", limit_s, poll_s=watching.POLL_S)
    return Shown((now_ns() - since_ns) / 1e9, known(), source)


def _shown_by_a_run(conductor: Conductor, session: Session) -> Shown:
    seen = conductor.served(session, NAME, expected=ASKED)
    failed = [s.t_ns for s in seen.sightings if s.state.status is Status.FAILED]
    text = session.endpoint.logs(seen.run.engine_run_id, None)
    visible_s = (failed[0] - seen.run.submit_ns) / 1e9 if failed else None
    return Shown(visible_s, text, "log of a run submitted after the edit, over the API")


def _with_bad_import(text: str) -> str:
    """Add the bad import before the first import that is not from __future__."""
    lines = text.splitlines(keepends=True)
    imports = (node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom))
    at = next(node.lineno - 1 for node in imports if getattr(node, "module", "") != "__future__")
    return "".join([*lines[:at], f"import {MISSING_MODULE}\n", *lines[at:]])


def _wait_mended(session: Session, offered: str) -> None:
    asks, known = (session.endpoint.abilities()[one] for one in (Ability.READ_AGAIN, Ability.DEPLOYMENT_ERROR))
    if callable(known):
        if callable(asks):
            asks(offered)
        limit = watching.RUN_LIMIT_S[session.workspace.track]
        wait_until(lambda: not known(), "import error gone after mending the file", limit)
    if not session.endpoint.deployed(offered):
        raise EngineError("the pipeline is no longer offered after the deployed file was mended")
