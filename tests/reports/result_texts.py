"""Texts of the synthetic result: code, notes and tracebacks, with what could break out of a page."""

from __future__ import annotations

import json
from pathlib import Path

from core.pipelines.training.pipeline import GRAPH as TRAINING

SCRIPT = "<script>alert(1)</script>"
HOSTILE = (
    SCRIPT,
    "]]>",
    "</script><img src=x onerror=alert(2)>",
    "<!--",
    "{{ 7 * 7 }}",
    "</style>",
    "\x1b[31mred\u2028",
)


def traceback(bug: str) -> str:
    return "\n".join([
        "Traceback (most recent call last):",
        '  File "<engine>/runner.py", line 84, in run',
        "    return self.fn(*args)",
        '  File "<project>/core/steps/features.py", line 31, in features',
        f"    frame[{HOSTILE[2]!r}]  # {HOSTILE[1]}",
        f"KeyError: {SCRIPT!r} in {bug}",
        *(f"[2026-03-01T09:0{i % 10}:00] framework says {HOSTILE[i % len(HOSTILE)]}" for i in range(12)),
    ])  # fmt: skip


def code(folder: Path, engine: str) -> None:
    folder.mkdir(parents=True)
    lines = [f'"""The training pipeline for {engine}. {SCRIPT}"""', "", "from core.steps import extract", "",
             f"# {HOSTILE[2]}", f"NAME = {HOSTILE[2]!r}", 'TEXT = """over', 'two lines </span>"""', ""]  # fmt: skip
    for step in TRAINING.steps:
        lines += [f"def {step.name}(config: str) -> dict[str, str]:", f'    return run("{step.name}", config)', ""]
    (folder / "training.py").write_text("\n".join(lines))
    counted = [i for i, line in enumerate(lines, 1) if line and not line.startswith(("#", '"""'))]
    if engine == "dagster":
        (folder / "definitions.py").write_text("from training import job\n\ndefs = Definitions(jobs=[job])\n")
    (folder / "counted.json").write_text(json.dumps({"training.py": counted, "definitions.py": [1, 3]}))
    (folder / "NOTES.md").write_text(_notes(engine))


def _notes(engine: str) -> str:
    return f"""# Notes on {engine} {SCRIPT}

Text outside of the lists is not shown.

## Easy

- Plain functions become steps, little to write (`authoring.sloc`).
- Retries are an argument; {SCRIPT} and [a link](javascript:alert(1)) stay text.

## Hard

- The first run takes long (setup.total_s), see
  [the documentation](https://example.org/docs?a=1&b=2) or **ask**.
- A killed step is found late: `recovery.step_killed.detection_s`.
"""
