"""Faults are for runs that have something to lose: an effect, which data may keep from happening."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.observe.journal import Journal, read_journal
from bench.questions.bound import Bound
from bench.run.conductor import Conductor, inline_command
from bench.session.supervisor import Supervisor
from core.declaration import Part


def effective(bound: Bound) -> Conductor:
    """The session's conductor, so that its runs have their effect; made once a session.

    Where the plain loop had none of these data, as their model is too bad, it is one with the settings that the
    pipeline declares for that, which judges by a plain loop with the same. Where these do not help it is as it was.
    """
    if bound.effective is None:
        bound.effective = _with_effect(bound.conductor, bound.supervisor, bound.scratch)
    return bound.effective


def _with_effect(conductor: Conductor, supervisor: Supervisor, scratch: Path) -> Conductor:
    declared = conductor.workload.declared
    if not declared.with_effect or has_effect(conductor, conductor.oracle):
        return conductor
    settings = dict(conductor.source.data.settings) | dict(declared.with_effect)
    data = replace(conductor.source.data, settings=settings)
    own = replace(conductor, source=replace(conductor.source, data=data))
    run, path = own.prepare(scratch / "effects-of-the-loop", "with_effect")
    supervisor.run(run.run_id, inline_command(path))
    own.oracle = read_journal(path.parent)
    return own if has_effect(own, own.oracle) else conductor


def has_effect(conductor: Conductor, journal: Journal) -> bool:
    """Whether the step ran that changes what outlives the run; also where the pipeline declares none."""
    step = conductor.workload.declared.parts.get(Part.EFFECT)
    return step is None or step in journal.counted()
