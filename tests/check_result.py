"""`python tests/check_result.py results/latest`: a report, and figures in each group of each engine that was asked?

On a busy machine a budget may not suffice for all of a session: what the manifest lists as left out
for lack of time is named, and is no problem, as long as every engine was set up and run.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench.contract.records import Manifest
from bench.observe.reading import load_manifest, load_summary

PREFIXES = {
    "code": "authoring.",
    "setup": "setup.",
    "runtime": "runtime.",
    "recovery": "recovery.",
    "debugging": "debugging.",
}
"""What every budget measures."""

ALWAYS = ("code", "setup", "runtime")


def left_out(manifest: Manifest, engine: str, group: str) -> bool:
    """Whether the manifest says that there was no time for the group."""
    cells = [cell for cell in manifest.cells if cell.state == "left_out"]
    return group not in ALWAYS and any(f" {engine} " in cell.name and cell.name.endswith(group) for cell in cells)


def problems(folder: Path) -> list[str]:
    """Everything that a complete result has and this one has not."""
    manifest = load_manifest(folder)
    titles = manifest.titles
    measured = [record for record in load_summary(folder).records if record.value is not None]
    found = [
        f"{engine}: no figure in the group {group}"
        for engine in manifest.arguments["engine"]
        for group, prefix in PREFIXES.items()
        if not any(record.engine == engine and record.metric.startswith(prefix) for record in measured)
        and not left_out(manifest, engine, group)
    ]
    report = folder / "report.html"
    if not report.exists():
        return [*found, f"{report} is missing"]
    page = report.read_text()
    return found + [f"{report} does not name {title}" for title in titles.values() if title not in page]


if __name__ == "__main__":
    cut = [cell.name for cell in load_manifest(Path(sys.argv[1])).cells if cell.state == "left_out"]
    print(f"left out for lack of time: {', '.join(cut) or 'nothing'}")  # noqa: T201 - a command
    said = problems(Path(sys.argv[1]))
    print(*said or ["the result is complete"], sep="\n")  # noqa: T201 - a command
    sys.exit(bool(said))
