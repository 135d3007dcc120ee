"""`python tests/check_result.py results/latest`: is there a report, and in each group a figure of every engine?"""

from __future__ import annotations

import sys
from pathlib import Path

from bench import registry
from bench.planner import Group
from bench.store import load_manifest, load_summary

PREFIXES = {group: f"{group}." for group in Group} | {Group.CODE: "authoring."}


def problems(folder: Path) -> list[str]:
    """Everything that a complete result has and this one has not."""
    titles = load_manifest(folder).titles
    measured = [record for record in load_summary(folder) if record.value is not None]
    found = [
        f"{engine}: no figure in the group {group}"
        for engine in registry.engines()
        for group, prefix in PREFIXES.items()
        if not any(record.engine == engine and record.metric.startswith(prefix) for record in measured)
    ]
    report = folder / "report.html"
    if not report.exists():
        return [*found, f"{report} is missing"]
    page = report.read_text()
    return found + [f"{report} does not name {title}" for title in titles.values() if title not in page]


if __name__ == "__main__":
    said = problems(Path(sys.argv[1]))
    print(*said or ["the result is complete"], sep="\n")  # noqa: T201 - a command
    sys.exit(bool(said))
