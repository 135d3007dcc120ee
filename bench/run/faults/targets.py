"""Which processes a fault from outside strikes: an engine's own words for its parts, as process ids."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import psutil

from bench.contract.endpoint import Reach
from bench.contract.errors import EngineError
from bench.contract.targets import OfRole, OfStep, Target, Targets
from bench.contract.words import Unsupported
from bench.judge.struck import processes
from bench.observe.journal import Journal
from bench.plan.scenarios.record import Action, Nemesis
from bench.session.bring_up import Session


def unstrikable(session: Session, nemesis: Nemesis) -> str:
    """Why a session has nothing that the nemesis could strike; empty if it has."""
    if nemesis.target is Target.DATABASE and (nemesis.action is Action.LOCK) is session.has_database:
        return f"the engine's database is {'a server' if session.has_database else 'in files'} here"
    return absent(session, nemesis.target)


def absent(session: Session, target: Target) -> str:
    """Why the engine has no such target; empty if it has."""
    if Reach.KILL not in session.reach:
        return "the engine's processes are not the harness's to strike"
    return lacking(session.adapter.targets, target)


def lacking(targets: Targets, target: Target) -> str:
    """Why none of the targets that an engine declares is this one; empty if one is."""
    if target in (Target.DATABASE, Target.CONTROL_PLANE):
        return ""  # a scenario's tracks say which kind of database it needs
    offer = targets.get(target, Unsupported("the adapter names no such process"))
    return offer.reason if isinstance(offer, Unsupported) else ""


def of_step(targets: Targets) -> tuple[Target, ...]:
    """The targets that are found from a running step."""
    return tuple(target for target, offer in targets.items() if isinstance(offer, OfStep))


def roles_of(session: Session, target: Target) -> tuple[str, ...]:
    """The services that make up the target, in the order of starting; empty for a step's or a run's processes."""
    if target is Target.CONTROL_PLANE:
        return tuple(role.kind for role in session.adapter.roles())
    offer = session.adapter.targets.get(target)
    return (offer.kind,) if isinstance(offer, OfRole) else ()


def resolve(session: Session, target: Target, journal: Journal, *, alone: bool = False) -> list[int]:
    """Ids of the target's living processes, parents before children.

    A service is struck with all that it has started, and so is a worker that is none; `alone`: its first process only.
    A step's or a run's process is struck alone, and found, as such a worker is, from the step that runs now. Raises
    EngineError if there is none.
    """
    if target is Target.DATABASE:
        return _tree(session.database.pid, alone=alone)
    if kinds := roles_of(session, target):
        return [pid for kind in kinds for pid in _tree(session.processes[kind].pid, alone=alone)]
    offer = session.adapter.targets.get(target)
    if not isinstance(offer, OfStep):
        raise EngineError(f"{session.adapter.name}: no process is the {target}")
    pid = _of_step(offer, _running_pid(journal), target)
    return _tree(pid, alone=alone or target is not Target.WORKER)


def described(session: Session, target: Target, pids: Sequence[int]) -> str:
    """What was struck, in a line: which part of the engine it is, and how many processes."""
    if not pids:
        return "the files of the database, which stay locked"
    roles, offer = roles_of(session, target), session.adapter.targets.get(target)
    if target is Target.DATABASE:
        what = "the database server"
    elif roles:
        what = f"the service{'s' if len(roles) > 1 else ''} {', '.join(roles)}"
    else:
        what = offer.text if isinstance(offer, OfStep) else str(target)
    return f"{what}: {processes(len(pids))}"


def _tree(pid: int, *, alone: bool) -> list[int]:
    try:
        first = psutil.Process(pid)
        return [pid] if alone else [pid, *(child.pid for child in first.children(recursive=True))]
    except psutil.NoSuchProcess:
        raise EngineError(f"process {pid} has ended before it was struck") from None


def _running_pid(journal: Journal) -> int:
    """The process of the attempt that has begun last of those that have not ended."""
    running = [attempt.pid for attempt in journal.attempts if attempt.end_ns is None]
    if not running:
        raise EngineError("no step is running, so no process can be found by it")
    return running[-1]


def _of_step(offer: OfStep, pid: int, target: Target) -> int:
    if not offer.above:
        return pid
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(pid).parents():
            if offer.above in " ".join(process.cmdline()):
                return process.pid
    raise EngineError(f"no process above {pid} has {offer.above!r} in its command line; it would be the {target}")
