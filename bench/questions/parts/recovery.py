"""The part about recovery. Each scenario is a cell of its own: an interrupted result goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from bench.contract.targets import Target
from bench.plan import sweep
from bench.plan.planner import batch_s
from bench.plan.scenarios import SCENARIOS, Remedy, batches
from bench.plan.workloads import PROBE
from bench.questions.parts.bound import Bound
from bench.questions.recovery import backfill, kill_points, repair
from bench.questions.recovery import unattended as recovery
from bench.run.faults.targets import absent, of_step


def recovery_part(bound: Bound) -> None:
    """The budget's scenarios and its kill points."""
    for names in batches(bound.pending(bound.planned.scenarios)):
        bound.cell(names, batch_s(bound.planned, names), partial(_conduct, bound, names))
    missing = [target for target in Target if absent(bound.up, target)]
    points = sweep.draw(bound.planned.sweep, missing, of_step(bound.up), bound.job.manifest.seed)
    pending = bound.pending([point.name for point in points])
    for point in (one for one in points if one.name in pending):
        strike = partial(kill_points.strike, bound.conductor, bound.up, point, bound.of(PROBE))
        bound.cell([point.name], point.seconds, strike)


def _conduct(bound: Bound, names: Sequence[str]) -> None:
    scenarios = [SCENARIOS[name] for name in names]
    remedy = scenarios[0].remedy
    if remedy is None:
        prober = bound.of(PROBE) if PROBE in bound.planned.workloads else None
        recovery.unattended(bound.conductor, bound.up, scenarios, prober)
    elif reason := recovery.unavailable(bound.up, scenarios[0]):
        recovery.tell_absent(bound.conductor, scenarios[0].name, reason)
    else:
        REMEDIES[remedy](bound)


def _resume(bound: Bound) -> None:
    failed, fixed = repair.failing(bound.conductor, bound.up)
    bound.exception = failed, bound.up.endpoint.logs(failed.run.engine_run_id, repair.RESUME.faults[0].step)
    repair.resume(bound.conductor, bound.up, failed, fixed)


REMEDIES: dict[Remedy, Callable[[Bound], None]] = {
    Remedy.RESUME: _resume,
    Remedy.RERUN: lambda bound: repair.rerun(bound.conductor, bound.up),
    Remedy.CANCEL: lambda bound: repair.cancel(bound.conductor, bound.up),
    Remedy.ROLL_BACK: lambda bound: repair.roll_back(bound.conductor, bound.up),
    Remedy.CATCH_UP: lambda bound: backfill.late_data(bound.conductor, bound.up),
    Remedy.BACKFILL: lambda bound: backfill.killed(bound.conductor, bound.up),
}
