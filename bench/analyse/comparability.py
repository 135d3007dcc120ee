"""Whether two results may be compared, and what else is different between them: all of it from their manifests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.contract.records import Manifest

BASELINE = "inline"
SAME_HOST = ("cpu_model", "cores", "os", "kernel", "machine", "python")
MEMORY_TOLERANCE = 0.01
"""A virtual machine reports a few pages more or less after each boot."""
SAME_DATA = ("digest", "target", "test_name")
REQUIRED = "required"
LOOPBACK = "127.0.0.1"
DIGEST_LENGTH = 64


def incomparable(one: Manifest, other: Manifest) -> list[str]:
    """Why values of the two say nothing about each other's engines: host, data or what the steps compute with.

    Empty if they do. Versions of engines are no reason: to compare those is the point.
    """
    found = [(f"host {key.replace('_', ' ')}", one.host.get(key), other.host.get(key)) for key in SAME_HOST]
    memory = [float(manifest.host.get("memory_bytes") or 0) for manifest in (one, other)]
    if abs(memory[0] - memory[1]) > MEMORY_TOLERANCE * max(memory):
        found.append(("host memory", f"{memory[0] / 1e9:.2f} GB", f"{memory[1] / 1e9:.2f} GB"))
    found += [(f"data {key.replace('_', ' ')}", one.data.get(key), other.data.get(key)) for key in SAME_DATA]
    steps, others = (manifest.versions.get(BASELINE, {}) for manifest in (one, other))
    found += [(f"the steps' {name}", steps[name], others[name]) for name in sorted(steps.keys() & others.keys())]
    if one.core and other.core:
        found.append(("the steps' own source, by digest", one.core[:12], other.core[:12]))
    return [f"{what}: {_short(a)} against {_short(b)}" for what, a, b in found if a != b]


def remarks(one: Manifest, other: Manifest, labels: tuple[str, str]) -> list[str]:
    """What else differs and a reader should know; none of it forbids the comparison."""
    return [*_extent(one, other, labels), *_settings(one, other)]


def _extent(one: Manifest, other: Manifest, labels: tuple[str, str]) -> Iterator[str]:
    for label, manifest in zip(labels, (one, other), strict=True):
        if manifest.state != "complete":
            yield f"{label} is {manifest.state}; it may hold less than was planned"
    if one.budget != other.budget:
        yield f"{labels[0]} had the {one.budget} budget, {labels[1]} the {other.budget} budget"


def _settings(one: Manifest, other: Manifest) -> Iterator[str]:
    """Settings of the engines and tracks that both have, where they are not the same."""
    before, after = _chosen(one), _chosen(other)
    for engine, track in sorted(before.keys() & after.keys()):
        ours, theirs = before[engine, track], after[engine, track]
        for name in sorted(ours.keys() | theirs.keys()):
            values = [_short(settings.get(name, "default")) for settings in (ours, theirs)]
            if values[0] != values[1]:
                yield f"setting {name} of {engine}, {track}: {values[0]} against {values[1]}"


def _chosen(manifest: Manifest) -> dict[tuple[str, str], dict[str, str]]:
    """By engine and track what was chosen for it, without what each session draws anew, such as ports."""
    found: dict[tuple[str, str], dict[str, str]] = {(s["engine"], s["track"]): {} for s in manifest.settings}
    for s in manifest.settings:
        if s["source"] != REQUIRED and LOOPBACK not in s["value"]:
            found[s["engine"], s["track"]][s["name"]] = s["value"]
    return found


def _short(value: Any) -> str:
    text = "unknown" if value is None else str(value)
    return f"{text[:12]}…" if len(text) == DIGEST_LENGTH else text or "none"
