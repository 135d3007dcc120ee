"""Whether two results may be compared, and what else is different between them: all of it from their manifests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bench.contract.records import Digest, Manifest
from bench.observe.provenance import LOCK, OF_ENGINES, chosen, engine_of

BASELINE = "inline"
SAME_HOST = ("cpu_model", "cores", "cpu_quota_cores", "os", "kernel", "machine", "python")
MEMORY_TOLERANCE = 0.01
"""A virtual machine reports a few pages more or less after each boot."""
SAME_DATA = ("digest", "target", "test_name")
DIGEST_LENGTH = 64


def incomparable(one: Manifest, other: Manifest) -> list[str]:
    """Why values of the two say nothing about each other's engines: host, data or what the steps compute with.

    Empty if they do. Versions of engines are no reason: to compare those is the point.
    """
    found = [(f"data {key.replace('_', ' ')}", one.data.get(key), other.data.get(key)) for key in SAME_DATA]
    found += [
        (mine.name, mine.sha256, its.sha256) for mine, its in _both(one, other)
        if mine.part not in OF_ENGINES and mine.of and mine.sha256 != one.data.get("digest")
    ]  # fmt: skip
    steps, others = (manifest.versions.get(BASELINE, {}) for manifest in (one, other))
    found += [(f"the steps' {name}", steps[name], others[name]) for name in sorted(steps.keys() & others.keys())]
    if one.core and other.core:
        found.append(("the steps' own source, by digest", one.core[:12], other.core[:12]))
    return [*unlike_hosts(one.host, other.host), *_unlike(found)]


def unlike_hosts(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What tells two hosts apart, as manifests describe them; empty if they are alike."""
    found = [(f"host {key.replace('_', ' ')}", one.get(key), other.get(key)) for key in SAME_HOST]
    memory = [float(told.get("memory_bytes") or 0) for told in (one, other)]
    if abs(memory[0] - memory[1]) > MEMORY_TOLERANCE * max(memory):
        found.append(("host memory", f"{memory[0] / 1e9:.2f} GB", f"{memory[1] / 1e9:.2f} GB"))
    return _unlike(found)


def _unlike(found: Iterable[tuple[str, Any, Any]]) -> list[str]:
    return [f"{what}: {_short(a)} against {_short(b)}" for what, a, b in found if a != b]


def _both(one: Manifest, other: Manifest) -> list[tuple[Digest, Digest]]:
    """What both have recorded the state of."""
    theirs = {(digest.of, digest.part): digest for digest in other.digests}
    return [(mine, theirs[mine.of, mine.part]) for mine in one.digests if (mine.of, mine.part) in theirs]


def remarks(one: Manifest, other: Manifest, labels: tuple[str, str]) -> list[str]:
    """What else differs and a reader should know; none of it forbids the comparison."""
    return [*_extent(one, other, labels), *_states(one, other), *_settings(one, other)]


def _extent(one: Manifest, other: Manifest, labels: tuple[str, str]) -> Iterator[str]:
    for label, manifest in zip(labels, (one, other), strict=True):
        if manifest.state != "complete":
            yield f"{label} is {manifest.state}; it may hold less than was planned"
    if one.budget != other.budget:
        yield f"{labels[0]} had the {one.budget} budget, {labels[1]} the {other.budget} budget"


def _states(one: Manifest, other: Manifest) -> Iterator[str]:
    """What differs beside versions, what does not, and what a difference can therefore not be blamed on."""
    shared = _both(one, other)
    if not shared:
        yield "Whether harness, adapters, pipelines, locks and test data were the same was not recorded."
        return
    titles = other.titles | one.titles
    unlike = [mine for mine, its in shared if mine != its]
    alike = [mine for mine, its in shared if mine == its]
    said = {"differs": unlike, "the same": alike, "not recorded of both": _alone(one, other)}
    yield "; ".join(f"{word}: {_listed(parts, titles)}" for word, parts in said.items() if parts) + "."
    if common := [mine for mine in unlike if mine.part not in OF_ENGINES]:
        causes = _listed(common, titles)
        yield f"So no difference can be blamed on an engine's version alone: {causes} may be the cause."
    for engine in dict.fromkeys(engine_of(mine.of) for mine in unlike if mine.part in OF_ENGINES):
        own = [mine for mine in unlike if mine.part in OF_ENGINES and engine_of(mine.of) == engine]
        version = one.versions.get(engine) != other.versions.get(engine)
        if others := [mine for mine in own if not (version and mine.part == LOCK)]:
            blame = "on its version alone" if version else "on its version, which is the same"
            causes = _listed(others, titles)
            yield f"A difference of {titles.get(engine, engine)} cannot be blamed {blame}: {causes} may be the cause."


def _alone(one: Manifest, other: Manifest) -> list[Digest]:
    """What only one has recorded, of engines that are in both."""
    keys = [{(digest.of, digest.part): digest for digest in manifest.digests} for manifest in (one, other)]
    engines = [{engine_of(of) for of, part in side if part in OF_ENGINES} for side in keys]
    found = [side[key] for side, its in (keys, keys[::-1]) for key in side if key not in its]
    return [each for each in found if each.part not in OF_ENGINES or all(engine_of(each.of) in e for e in engines)]


def _listed(parts: Iterable[Digest], titles: Mapping[str, str]) -> str:
    """`harness, Apache Airflow's pipelines and adapter`."""
    grouped: dict[str, list[str]] = {}
    for one in parts:
        grouped.setdefault(" ".join(titles.get(word, word) for word in one.of.split()), []).append(one.part)
    return ", ".join(", ".join(names) if not of else f"{of}'s {' and '.join(names)}" for of, names in grouped.items())


def _settings(one: Manifest, other: Manifest) -> Iterator[str]:
    """Settings of the engines and tracks that both have, where they are not the same."""
    before, after = chosen(one.settings), chosen(other.settings)
    for engine, track in sorted(before.keys() & after.keys()):
        ours, theirs = before[engine, track], after[engine, track]
        for name in sorted(ours.keys() | theirs.keys()):
            values = [_short(settings.get(name, "default")) for settings in (ours, theirs)]
            if values[0] != values[1]:
                yield f"setting {name} of {engine}, {track}: {values[0]} against {values[1]}"


def _short(value: Any) -> str:
    text = "unknown" if value is None else str(value)
    return f"{text[:12]}…" if len(text) == DIGEST_LENGTH else text or "none"
