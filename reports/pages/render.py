"""Writes report.html: one file that needs no network, of at most 3 MB."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from core.instrument.artifacts import atomic
from reports.pages.model import Report, build
from reports.read.loading import load
from reports.read.lookup import Lookup

REPORT = "report.html"
LIMIT_BYTES = 3_000_000
DOWNLOAD_LIMIT_BYTES = 250_000
HERE = Path(__file__).parents[1]
SNIPPET = "window.vegaEmbed = vegaEmbed;"


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """A report on the disk, and what it says."""

    path: Path
    report: Report
    lookup: Lookup


def write_report(result: Path) -> Written:
    """Render the result folder's report.html. UsageError if it is no result."""
    path, lookup = result / REPORT, Lookup(load(result))
    report = build(lookup)
    html = render(report, _summary(result))
    with atomic(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return Written(path, report, lookup)


def render(report: Report, summary: bytes = b"") -> str:
    """The whole page. What would make it too large is left out, transcripts last, and the page says so."""
    html = _page(report, summary)
    for smaller, data, hover in _reductions(report, summary):
        if len(html.encode()) <= LIMIT_BYTES:
            break
        html = _page(smaller, data, hover=hover, reduced=True)
    return html


def _reductions(report: Report, summary: bytes) -> list[tuple[Report, bytes, bool]]:
    short = tuple(dataclasses.replace(t, lines=t.lines[:60]) for t in report.transcripts)
    smaller = dataclasses.replace(report, transcripts=short)
    return [(report, b"", True), (smaller, b"", True), (report, summary, False), (smaller, b"", False)]


def _summary(result: Path) -> bytes:
    path = result / "summary.json"
    return path.read_bytes() if path.exists() else b""


def _page(report: Report, summary: bytes, *, hover: bool = True, reduced: bool = False) -> str:
    scripts = [bundle(), _static("report.js")] if hover and report.figures else [_static("report.js")]
    embedded = summary if len(summary) <= DOWNLOAD_LIMIT_BYTES else b""
    return _environment().get_template("report.html.j2").render(
        report=report,
        style=Markup(_static("report.css")),  # noqa: S704 - our own file
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own file and Vega's bundle
        hashes=[_hash(script) for script in scripts],
        specs={figure.key: figure.spec for figure in report.figures} if hover else {},
        download="data:application/json;base64," + base64.b64encode(embedded).decode() if embedded else "",
        reduced=reduced,
    )  # fmt: skip


@cache
def bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script. It takes seconds to make, so a virtual environment keeps it."""
    name = f"vega-{version('vl-convert-python')}-{hashlib.sha256(SNIPPET.encode()).hexdigest()[:8]}.js"
    kept = Path(sys.prefix) / "share" / "orchbench" / name
    if kept.exists():
        return kept.read_text(encoding="utf-8")
    script = str(vl_convert.javascript_bundle(SNIPPET))
    if sys.prefix != sys.base_prefix:
        with suppress(OSError), atomic(kept) as temporary:  # it may be another user's
            temporary.write_text(script, encoding="utf-8")
    return script


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["script_json"] = script_json
    return environment


def script_json(value: Any) -> Markup:
    """JSON that may stand in a script element: no character of it can end the element."""
    text = json.dumps(value, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped above


def _static(name: str) -> str:
    return (HERE / "static" / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """For the content security policy: only these scripts may run, whatever else gets into the page."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
