"""What a result holds so far: all that questions and the campaign have to know of it."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.contract import registry
from bench.contract.errors import StorageError
from bench.contract.project import PROJECT
from bench.contract.records import Digest, Evidence, Failure, Manifest, Repeats, Run, Sample
from bench.observe.aside import put_aside
from bench.observe.journal import Journal, read_journal
from bench.observe.provenance import changed, of_code, of_locks
from bench.observe.reading import load
from bench.observe.store import Store
from bench.plan.arms import AGAIN, INLINE
from bench.plan.budgets import Budget
from bench.plan.cell import Cell, Key, Planned, key
from bench.plan.workloads import Workload
from bench.run.source import Source
from bench.session import environments
from bench.session.places import OTHERS


@dataclass
class Ledger:
    """One result in the making."""

    store: Store
    manifest: Manifest
    budget: Budget
    sources: Mapping[str, Source]
    """By pipeline: what its runs are fed."""
    oracles: dict[Workload, Journal] = field(default_factory=dict)
    """The plain loop's first run of each workload: what every other run must equal."""
    inline_runs: dict[Workload, list[dict[str, float]]] = field(default_factory=dict)

    def source(self, pipeline: str) -> Source:
        """What a pipeline's runs are fed; like steps, which have no source of their own, what the first one is."""
        return self.sources.get(pipeline) or next(iter(self.sources.values()))

    @property
    def files(self) -> dict[str, Path]:
        """A user's own data, each by the option that gives it; none where they are generated."""
        found = {part: path for source in self.sources.values() for part, path in source.files.items()}
        own = found if self.manifest.arguments.get("data") else {}
        return {f"--{part.replace(' ', '-')}": path for part, path in own.items()}

    @property
    def places(self) -> dict[str, Path]:
        """Folders of the user's that nothing which is kept may name."""
        found = {option.strip("-"): path.parent for option, path in self.files.items()}
        own = {"environments": environments.folder(), "temporary": Path(tempfile.gettempdir())}
        told = (PROJECT, *OTHERS)  # these name nobody
        return found | {name: path for name, path in own.items() if not any(path.is_relative_to(one) for one in told)}

    @property
    def go_on(self) -> str:
        """The command that finishes it; a user's own data are given again, as their paths are not kept."""
        again = (word for option, path in self.files.items() for word in (option, str(path)))
        return shlex.join(["tox", "-e", "bench", "--", "--resume", str(self.store.folder), *again])

    @contextmanager
    def told_how_to_go_on(self) -> Iterator[None]:
        """Within it a StorageError says with which command it is finished."""
        try:
            yield
        except StorageError as error:
            raise StorageError(f"{error}, then: {self.go_on}") from error

    def inline_s(self, workload: Workload) -> Mapping[str, float]:
        """Step -> seconds, the median of the inline runs so far."""
        runs = self.inline_runs.get(workload, [])
        return {name: median(run[name] for run in runs) for name in (runs[0] if runs else ())}

    def recall(self, failures: Iterable[Failure]) -> int:
        """Take over what an interrupted job has measured: the oracles, the baseline, what is done.

        Returns the number of the last session, also of one in which no run came to its end.
        """
        self.store.mend()
        for run in (r for r in load(self.store.folder, Run) if r.engine == INLINE and r.outcome == "completed"):
            journal = read_journal(self.store.folder / "runs" / run.run_id)
            if self.oracles.setdefault(Workload.of(run), journal) is not journal:
                self.inline_runs.setdefault(Workload.of(run), []).append(journal.step_times())
        self.manifest.cells = [cell for cell in self.manifest.cells if cell.state == "done"]
        self.manifest.failures = list(failures)
        begun = (path.name.split("-")[0] for path in (self.store.folder / "logs").glob("[0-9]*-*"))
        return max(map(int, begun), default=0)

    def warm_ups(self, planned: Planned) -> int:
        """How many warm-ups a session of the arm has: what its first block showed; 0 if that is not known yet.

        An engine that is measured twice has as many both times, from its second block on: the larger number.
        """
        rows = [one for one in self.manifest.repeats if (one.track, one.pipeline) == (planned.track, planned.pipeline)]
        if planned.block == 1:
            rows = [one for one in rows if one.engine == planned.name]
        return max((one.warm_ups for one in rows if one.engine.removesuffix(AGAIN) == planned.environment), default=0)

    def fix_warm_ups(self, planned: Planned, number: int) -> None:
        """Note how many warm-ups the arm's later sessions have."""
        arm = {"engine": planned.name, "track": str(planned.track), "pipeline": planned.pipeline}
        others = [one for one in self.manifest.repeats if (one.engine, one.track, one.pipeline) != tuple(arm.values())]
        self.manifest.repeats = [*others, Repeats(**arm, samples=planned.samples, warm_ups=number)]
        self.store.save_manifest(self.manifest)

    @property
    def noted(self) -> set[Key]:
        """The cells of which the manifest says what became of them."""
        return {key(cell) for cell in self.manifest.cells}

    def note(self, cell: Cell, state: str, estimated_s: float, **more: Any) -> None:
        """Say in the manifest what became of a cell."""
        self.manifest.cells += cell.noted(state, estimated_s=estimated_s, **more)
        self.store.save_manifest(self.manifest)

    def state(self) -> list[Digest]:
        """The state in which code and data are now."""
        engines = {name: registry.folder(name) for name in self.manifest.arguments.get("engine", ())}
        data = (one for source in self.sources.values() for one in source.digests())
        return [*of_code(PROJECT, engines), *of_locks(self.store.folder), *data]

    def changed(self) -> list[Digest]:
        """What is not any more as it was when the result was begun; nothing if that was not recorded."""
        return changed(self.manifest.digests, self.state())

    def told(self, parts: Iterable[Digest]) -> str:
        """Names of parts, as people would call them; of data the files."""
        files = {(name, part): path for name, one in self.sources.items() for part, path in one.files.items()}
        return ", ".join(str(files.get((one.of, one.part), one.name)) for one in parts)

    def put_aside(self, concerned: Callable[[Run | Sample | Evidence], bool], cells: Iterable[Key]) -> None:
        """Let what was observed count no more, nor the cells as done: they are measured anew."""
        put_aside(self.store, concerned)
        gone = set(cells)
        self.manifest.cells = [cell for cell in self.manifest.cells if key(cell) not in gone]
        self.store.save_manifest(self.manifest)

    def left_out(self, cells: Iterable[Cell]) -> list[Cell]:
        """Those of some cells that were left out."""
        out = {key(cell) for cell in self.manifest.cells if cell.state == "left_out"}
        return [one for one in cells if out.intersection(one.keys)]

    def forget(self, cells: Iterable[Cell]) -> None:
        """Take back what the manifest says of some cells."""
        keys = {each for one in cells for each in one.keys}
        self.manifest.cells = [cell for cell in self.manifest.cells if key(cell) not in keys]
