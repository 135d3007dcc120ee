"""What survives a fault, and what have people to do? Each scenario and each kill point is a cell of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bench.contract.targets import Target
from bench.contract.words import Track
from bench.observe.watching import BROKEN_POLL_S, POLL_S
from bench.plan import sweep
from bench.plan.budgets import Budget
from bench.plan.cell import Cell
from bench.plan.priced import Ask, Needs, Topic
from bench.plan.scenarios import RESUMED_S, SCENARIOS, batches, of_topic, topic
from bench.plan.scenarios.record import Remedy, Scenario
from bench.plan.workloads import PROBE, Workload
from bench.questions.bound import Bound
from bench.questions.metric import Headline, Metric
from bench.questions.record import Question
from bench.questions.recovery import backfill, kill_points, repair, telling, unattended
from bench.questions.recovery.effective import effective
from bench.run.conductor import Conductor
from bench.run.faults.targets import lacking, of_step
from bench.session.bring_up import Session
from core.declaration import pipeline

PROBE_S = 7.0
STOCK_FACTOR = 5.0
"""On stock settings much is waited for longer."""
TITLE = "What survives a fault?"
TITLES = {one.key: one.title for one in SCENARIOS.values()} | {sweep.KEY: sweep.TITLE}


def workloads(budget: Budget) -> tuple[Workload, ...]:
    """The probe of what is left behind."""
    return (PROBE,) if budget.thorough else ()


def scenario_cells(ask: Ask) -> Iterator[Topic]:
    """The budget's scenarios; those that only wait are conducted at once. What is repeated comes once all have been."""
    held = [name for name in ask.budget.scenarios if ask.block <= SCENARIOS[name].blocks(ask.budget.name)]
    for names in (*batches(held), *_again(held, ask.budget.repeats)):
        cost_s = batch_s(names, ask.track, probed=ask.budget.thorough)
        yield Topic(names, cost_s * (STOCK_FACTOR if ask.track is Track.STOCK else 1.0))


def _again(held: Sequence[str], repeats: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    """Each time in turn, so that the runs of one scenario do not follow one another."""
    for time in range(2, max(repeats.values(), default=1) + 1):
        yield from ((topic(name, time),) for name in held if time <= repeats.get(name, 1))


def batch_s(names: Sequence[str], track: Track, *, probed: bool) -> float:
    """Estimated seconds of scenarios that are conducted at once, with the probe that may follow them."""
    batch = [one for one in map(of_topic, names) if track in one.tracks]
    probed = probed and not all(scenario.remedy or not scenario.leaves for scenario in batch)
    waits_s = max((scenario.seconds for scenario in batch), default=0.0) + RESUMED_S * max(0, len(batch) - 1)
    return waits_s + (PROBE_S if probed else 0.0)


def measure(bound: Bound, cell: Cell) -> None:
    """Conduct the cell's scenarios."""
    scenarios, conductor = list(map(of_topic, cell.topics)), effective(bound)
    remedy = scenarios[0].remedy
    if remedy is None:
        prober = bound.of(PROBE) if PROBE in bound.planned.workloads else None
        unattended.unattended(conductor, bound.up, scenarios, prober)
    elif reason := unattended.unavailable(conductor, bound.up, scenarios[0]):
        telling.tell_absent(conductor, scenarios[0].key, reason)
    elif remedy is Remedy.RESUME:
        bound.failed = repair.resumed(conductor, bound.up, scenarios[0])
    else:
        REMEDIES[remedy](conductor, bound.up, scenarios[0])


REMEDIES: dict[Remedy, Callable[[Conductor, Session, Scenario], None]] = {
    Remedy.RERUN: repair.rerun,
    Remedy.CANCEL: repair.cancel,
    Remedy.ROLL_BACK: repair.roll_back,
    Remedy.CATCH_UP: backfill.late_data,
    Remedy.BACKFILL: backfill.killed,
}


def point_cells(ask: Ask) -> Iterator[Topic]:
    """The budget's kill points, of the targets that the engine has; in the first block alone."""
    if ask.block > 1 or not ask.budget.sweep.points:
        return
    missing = [target for target in Target if lacking(ask.targets, target)]
    own = pipeline(ask.pipeline)
    at = sweep.chosen(ask.budget.sweep, own, own.graph({}), sweep.foreseen(own))
    for point in sweep.draw(ask.budget.sweep, at, missing, of_step(ask.targets), ask.seed):
        yield Topic((point.key,), point.seconds, (point, *sweep.spares(point, at, ask.seed)))


def strike(bound: Bound, cell: Cell) -> None:
    """Conduct the run that is struck at the cell's point, or at one drawn in its place where that is not met."""
    kill_points.strike(effective(bound), bound.up, cell.subject, bound.of(PROBE))


LEAVES = (
    Metric("outcome", "Outcome", "high", "outcome", "text"),
    Metric("struck", "What was struck", "none", "info", "text", help="which process it was, or how many"),
    Metric(
        "detection_s",
        "Detection",
        "none",
        "info",
        help="fault until the engine's own record says so: by its own time of it, or else when it was asked",
    ),
    Metric("detection_delay_s", "Of it, the limit that was set", "none", "info", help="of a step or of a run"),
    Metric("detection_rest_s", "Detection beyond that limit", resolution=BROKEN_POLL_S, help="what the engine took"),
    Metric("recovery_s", "Recovery", resolution=POLL_S, help="fault until correct completion"),
    Metric("attempts", "Attempts", "none", "seen", "count", help="of the step that was struck"),
    Metric("wasted_s", "Lost work", resolution=POLL_S, help="attempts that did not count in the end"),
    Metric("duplicates", "Effects done twice", kind="seen", unit="count"),
    Metric("correct", "Right in the end", "high", "seen", "boolean", help="the same artifacts as without an engine"),
    Metric("recovery_work_s", "Of it, work", "none", "info", help="time of the steps that had to run"),
    Metric("recovery_delay_s", "Of it, configured delay", "none", "info", help="before retries, and while down"),
    Metric("recovery_rest_s", "Of it, the rest", "none", "info", help="what the engine took"),
    Metric("overlaps", "Steps that ran twice at once", kind="seen", unit="count"),
    Metric("orphans", "Processes left", kind="seen", unit="count", help="of steps, after the run's end"),
    Metric("orphan_s", "They lived for", "none", "info"),
    Metric("leaked_slots", "Slots lost", kind="seen", unit="count", help="for the next run"),
    Metric("record", "Engine's own record", "none", "info", "text", help="against the journal"),
    Metric("actions", "Done by people", "none", "info", "text"),
    Metric("session", "The engine afterwards", "none", "info", "text"),
    Metric("gone_s", "Until its process is gone", resolution=POLL_S),
    Metric("missing", "Days missing", kind="seen", unit="count"),
    Metric("twice", "Days done twice", kind="seen", unit="count"),
    Metric("extra_lines", "Extra code", kind="exact", unit="lines"),
    Metric("completed", "Came right by itself", "high", "info", "proportion"),
    Metric("effect_once", "Effect exactly once", "high", "info", "proportion"),
)
QUESTIONS = (
    Question(
        key="recovery", group="recovery", title=TITLE, order=140, place=6, needs=Needs.UP,
        cost_s={Track.TUNED: 45, Track.STOCK: 400}, budgets={"quick": 1, "standard": 1, "full": 3, "chaos": 1},
        breaks=True, companions=True, workloads=workloads, cells=scenario_cells, measure=measure,
        subjects="recovery", leaves=LEAVES, titles=TITLES,
        headlines=(Headline("outcome", "outcome"), Headline("recovery_s", "until complete again")),
        telling=(
            "transient_error", "step_killed", "hung_step", "run_killed", "worker_killed", "scheduler_killed",
            "resume_after_fix",
        ),
    ),
    Question(
        key="kill points", group="recovery", title=TITLE, order=141, place=6, needs=Needs.UP,
        cost_s=dict.fromkeys(Track, sweep.POINT_S), budgets={"standard": 1, "full": 1, "chaos": 1},
        breaks=True, companions=True, workloads=workloads, cells=point_cells, measure=strike,
        session="kill points", apart=True, last=True, step_timeout_s=sweep.SWEEP_STEP_TIMEOUT_S,
    ),
)  # fmt: skip
