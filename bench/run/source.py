"""What the runs of a result are fed, as their configurations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contract.errors import UsageError
from bench.contract.records import Digest
from bench.observe.provenance import of_file
from core.declaration import Data, Pipeline, pipeline
from core.instrument.config import Fault, RunConfig, checked
from core.instrument.errors import ConfigError, CoreError

NO_DATA = Data({}, {})


@dataclass(frozen=True, slots=True)
class Source:
    """The data of a result's pipeline, which those that people run beside it share."""

    pipeline: Pipeline
    data: Data

    def config(
        self, name: str, run_id: str, run_dir: Path, effects_dir: Path, faults: tuple[Fault, ...] = (), **changes: Any
    ) -> RunConfig:
        """The configuration of one run of a pipeline; `changes` replace settings.

        ConfigError if its settings are not what the pipeline declares, or a fault names no step of it.
        """
        declared = pipeline(name)
        known = declared.settings.__struct_fields__
        settings = {key: value for key, value in self.data.settings.items() if key in known} | changes
        checked(declared.settings, settings)
        graph = declared.graph(settings)
        for fault in faults:
            if not graph.may_run(fault.step):
                raise ConfigError(f"fault {fault.kind}: {name} has no step {fault.step!r}; it would never strike")
        return RunConfig(
            pipeline=name, run_id=run_id, run_dir=run_dir, effects_dir=effects_dir, settings=settings, faults=faults
        )

    def describe(self) -> dict[str, Any]:
        """What the manifest says of the data; no path of this machine."""
        return dict(self.data.about)

    @property
    def files(self) -> dict[str, Path]:
        """The files that must not change, each by the setting that names it: `data`, `test data`."""
        settings = {str(value): key.replace("_", " ") for key, value in self.data.settings.items()}
        return {settings.get(str(path), path.name): path for path in self.data.files}

    def digests(self) -> list[Digest]:
        """The states of the files as they are now."""
        return [Digest(part=part, of=self.pipeline.name, sha256=of_file(path)) for part, path in self.files.items()]


def generated(declared: Pipeline, folder: Path, seed: int) -> Source:
    """A pipeline with its built-in data, written into the folder if they are not there yet."""
    found = declared.data_source()
    return Source(declared, found.generated(folder, seed) if found else NO_DATA)


def given(declared: Pipeline, options: Mapping[str, Any], seed: int) -> Source:
    """A pipeline with a user's own data; UsageError in one line if they cannot serve."""
    found = declared.data_source()
    if found is None:
        raise UsageError(f"--data: the {declared.title} takes no data")
    try:
        return Source(declared, found.given(options, seed))
    except CoreError as error:
        raise UsageError(str(error)) from error
