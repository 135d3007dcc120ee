"""How soon and how clearly an engine shows why a run failed: three planted bugs and the text a user gets."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from bench.contract.records import Evidence
from bench.contract.words import Status, Track
from bench.judge.aftermath import ALARMED
from bench.observe import watching
from bench.plan import pipelines
from bench.plan.cell import Cell
from bench.plan.priced import Needs
from bench.plan.scenarios.record import ASKED
from bench.questions import broken_file
from bench.questions.bound import Bound
from bench.questions.broken_file import Shown
from bench.questions.metric import Headline, Metric
from bench.questions.record import Question
from bench.run.conductor import Conductor
from bench.run.observation import Observation
from bench.session.bring_up import Session
from core.declaration import Part
from core.instrument.config import Fault

FRAME = re.compile(r'File "(?P<path>[^"]+)", line (?P<line>\d+)')


@dataclass(frozen=True, slots=True)
class Bug:
    """A planted bug and what a good report of it names."""

    name: str
    title: str
    exception: str
    file: str = ""
    """The user's file in which the cause stands; empty until the run has shown it."""


EXCEPTION = Bug("exception", "An exception in a step", "KeyError", "faults.py")
RENAMED = Bug("renamed_column", "A renamed column in the data", "DataError")
IMPORT = Bug(broken_file.NAME, "A broken import in the pipeline file", "ModuleNotFoundError")
BUGS = (EXCEPTION, RENAMED, IMPORT)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text tells its reader."""

    names_exception: bool
    names_file: bool
    names_line: bool
    lines_to_cause: int | None
    """Lines that are not blank, from the top to the first that names the exception."""
    cause_line: int
    framework_frames: int | None
    """Traceback frames above the first one in the user's own files."""


def read(text: str, bug: Bug, own: tuple[str, ...]) -> Reading:
    """Read a text as its user would; `own` are the folders of the user's own files."""
    lines = text.splitlines()
    cause = next((n for n, line in enumerate(lines, 1) if re.search(rf"\b{bug.exception}\b", line)), 0)
    frames = [match["path"] for match in FRAME.finditer(text)]
    first_own = next((n for n, path in enumerate(frames) if any(map(Path(path).is_relative_to, own))), None)
    return Reading(
        names_exception=cause > 0,
        names_file=bool(bug.file) and bug.file in text,
        names_line=bool(bug.file) and bool(re.search(rf'{re.escape(bug.file)}(", line |:)\d+', text)),
        lines_to_cause=sum(bool(line.strip()) for line in lines[:cause]) if cause else None,
        cause_line=cause,
        framework_frames=first_own,
    )


def measure(bound: Bound, _: Cell) -> None:
    """The planted bugs; the file that is broken on purpose comes last."""
    exception(bound.conductor, bound.up, bound.failed)
    renamed_column(bound.conductor, bound.up)
    import_error(bound.conductor, bound.up)


def exception(conductor: Conductor, session: Session, known: tuple[Observation, str] | None = None) -> None:
    """An exception in the heavy step; `known` is a run that had it already, with its step's log."""
    step = conductor.workload.declared.part(Part.HEAVY)
    if known is None:
        fault = Fault(step, "defect", attempts=0)
        seen = conductor.served(session, EXCEPTION.name, expected=ASKED, faults=(fault,))
        known = seen, session.endpoint.logs(seen.run.engine_run_id, step)
    _store(conductor, session, EXCEPTION, _step_failure(step, *known))


def renamed_column(conductor: Conductor, session: Session) -> None:
    """A column of the source has another name since yesterday: whichever step of the pipeline looks at it fails."""
    source = conductor.source
    where = source.pipeline.data_source()
    if where is None:
        _none(conductor, RENAMED, "not applicable: the pipeline has no source data")
        return
    changes = where.renamed(source.data, session.workspace.home)  # rows of a user, whom nobody else may read
    seen = conductor.served(session, RENAMED.name, expected=ASKED, **changes)
    step = _raised(seen, RENAMED.exception)
    log = session.endpoint.logs(seen.run.engine_run_id, step or None)
    file = pipelines.source_file(conductor.workload.pipeline, step) if step else ""
    _store(conductor, session, replace(RENAMED, file=file), _step_failure(step, seen, log))


def _raised(seen: Observation, error: str) -> str:
    """The step whose journal says that it raised the error; empty if none has."""
    return next((one.step for one in seen.journal.attempts if one.error == error), "")


def import_error(conductor: Conductor, session: Session) -> None:
    """The deployed pipeline file imports a module that is not there."""
    shown, unasked = broken_file.visible(conductor, session)
    conductor.sample(None, f"debugging.{IMPORT.name}.{UNASKED.name}", UNASKED.unit, unasked.visible_s, unasked.source)
    file = broken_file.pipeline_file(session, conductor.workload.offered)
    _store(conductor, session, replace(IMPORT, file=file.name), shown)


def _step_failure(step: str, seen: Observation, text: str) -> Shown:
    error_ns = next((a.end_ns for a in seen.journal.attempts_of(step) if a.outcome == "error"), None)
    seen_ns = [
        s.t_ns
        for s in seen.sightings
        if error_ns and s.t_ns >= error_ns and (s.state.status is Status.FAILED or _alarmed(s.state.steps.get(step)))
    ]
    visible_s = (seen_ns[0] - error_ns) / 1e9 if seen_ns and error_ns else None
    source = f"log of the step {step} over the API" if step else "log of the run over the API"
    return Shown(visible_s, text, source)


def _alarmed(step: object) -> bool:
    return getattr(step, "status", None) in ALARMED or getattr(step, "attempts", 0) > 1


def _store(conductor: Conductor, session: Session, bug: Bug, shown: Shown) -> None:
    own = tuple(str(Path(p).resolve()) for p in (session.workspace.project / "core", session.workspace.pipelines))
    found = read(shown.text, bug, own)
    values: dict[str, tuple[str, float | None]] = {
        "visible_s": ("s", shown.visible_s),
        "names_exception": ("boolean", float(found.names_exception)),
        "names_file": ("boolean", float(found.names_file)),
        "names_line": ("boolean", float(found.names_line)),
        "lines_to_cause": ("lines", found.lines_to_cause),
        "framework_frames": ("count", found.framework_frames),
    }
    for metric, (unit, value) in values.items():
        note = "" if value is not None else "not in the text or record that the API gives"
        conductor.sample(None, f"debugging.{bug.name}.{metric}", unit, value, note)
    conductor.store.append(
        Evidence(
            engine=conductor.arm.engine, track=conductor.arm.track, session=conductor.session,
            scenario=bug.name, title=bug.title, source=shown.source, cause_line=found.cause_line,
            text=conductor.store.shorten(shown.text, workspace=session.scratch),
        )
    )  # fmt: skip


def _none(conductor: Conductor, bug: Bug, reason: str) -> None:
    for leaf in (one for one in LEAVES if one is not UNASKED):
        conductor.sample(None, f"debugging.{bug.name}.{leaf.name}", leaf.unit, None, reason)


UNASKED = Metric(
    "unasked_s", "Visible unasked after", resolution=watching.BROKEN_POLL_S,
    help="the edit that breaks the import until the API shows it without having been asked to look",
)  # fmt: skip
LEAVES = (
    Metric(
        "visible_s", "Visible after", resolution=watching.BROKEN_POLL_S,
        help="error, or the edit that breaks the import, until the API shows it; of a broken file once the engine was "
        "asked to read it again, or a run was submitted where it offers no such request",
    ),
    UNASKED,
    Metric("names_exception", "Names the exception", "high", "flag", "boolean"),
    Metric("names_file", "Names the file", "high", "flag", "boolean"),
    Metric("names_line", "Names the line", "high", "flag", "boolean"),
    Metric(
        "lines_to_cause", "Lines to the cause", kind="exact", unit="lines", help="from the top, without blanks",
    ),
    Metric(
        "framework_frames", "Framework frames", kind="exact", unit="count",
        help="above the first in the user's own files",
    ),
)  # fmt: skip
QUESTIONS = (
    Question(
        key="debugging", group="debugging", title="How soon is an error found?", order=150, place=7, needs=Needs.UP,
        cost_s={Track.TUNED: 25, Track.STOCK: 403}, budgets={"quick": 1, "standard": 1, "full": 3},
        measure=measure, subjects="debugging", leaves=LEAVES, titles={bug.name: bug.title for bug in BUGS},
        headlines=(Headline("visible_s", "visible after"),),
    ),
)  # fmt: skip
