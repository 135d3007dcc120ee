"""What the tests read of a result that the copy has written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Result:
    """A folder of a result."""

    folder: Path

    @classmethod
    def latest(cls, output: Path) -> Result:
        return cls((output / "latest").resolve())

    @property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return found

    @property
    def page(self) -> str:
        return (self.folder / "report.html").read_text()

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Of a file of JSON lines."""
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def values(self, engine: str) -> dict[str, Any]:
        """Metric -> the last value that was observed of an engine."""
        return {row["metric"]: row["value"] for row in self.lines("samples.jsonl") if row["engine"] == engine}

    def notes(self, engine: str) -> dict[str, str]:
        """Metric -> what was said where there is no value."""
        samples = self.lines("samples.jsonl")
        return {row["metric"]: row["note"] for row in samples if row["engine"] == engine and row["value"] is None}

    def undone(self, engine: str) -> list[str]:
        """Cells of an engine that were not measured, and why."""
        cells = [cell for cell in self.manifest["cells"] if f" {engine} " in cell["name"]]
        return [f"{cell['name']}: {cell['reason']}" for cell in cells if cell["state"] != "done"]

    def digests(self, run: str) -> dict[str, str]:
        """Step -> what it left, as its own journal says."""
        ends = [row for row in self.lines(f"runs/{run}/journal.jsonl") if row["event"] == "end"]
        return {row["step"]: _digest(row["result"]) for row in ends}

    def effects(self, run: str) -> list[str]:
        return [row["key"] for row in self.lines(f"runs/{run}/journal.jsonl") if row["event"] == "effect"]


def _digest(result: Any) -> str:
    return result["digest"] if isinstance(result, dict) else result or ""
