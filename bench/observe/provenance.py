"""In which state of code and data a result is measured: a digest for each part that could be another elsewhere.

A digest is SHA-256 over the names and contents of a part's files, wherever their folder is, however old they are and in
whatever order they lie. Hidden files, bytecode and prose are no part of what is measured.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from bench.contract.records import Digest

REST = ""
CORE = {"instrument": ("instrument",), REST: "core"}
HARNESS = {"figures": ("analyse",), REST: "harness"}
"""Figures are computed again, from all that was measured: how is no part of the measurement."""
ENGINE = {
    "pipelines": ("pipelines", "binding", "variants"), "lock": ("requirements.in", "requirements.txt"), REST: "adapter",
}  # fmt: skip
"""Part -> what belongs to it, right below the folder; and what the rest is called."""
LOCK, SETTINGS = "lock", "settings"
OF_ENGINES = ("pipelines", LOCK, "adapter", SETTINGS)
"""Parts that concern one engine. All others concern every cell."""
NO_SOURCE = re.compile(r"(^|/)(\.|__pycache__/)|(\.pyc|\.md|~)$")
REQUIRED, LOOPBACK = "required", "127.0.0.1"
Key = tuple[str, str]


def of_code(project: Path, engines: Mapping[str, Path]) -> list[Digest]:
    """Of the code by which engines are measured: a checkout's own, and the folders of the engines."""
    parts = {("", part): digest for part, digest in _parted(project / "core", CORE)}
    parts |= {("", part): digest for part, digest in _parted(project / "bench", HARNESS) if part != "figures"}
    for engine, folder in engines.items():
        parts |= {(engine, part): digest for part, digest in _parted(folder, ENGINE)}
    return [Digest(part=part, of=of, sha256=digest) for (of, part), digest in parts.items()]


def of_locks(result: Path) -> list[Digest]:
    """Of the locks of other versions of engines that a result keeps."""
    found = sorted((result / "locks").glob("*.txt"))
    return [Digest(part=LOCK, of=path.stem, sha256=of_file(path)) for path in found]


def of_settings(rows: Iterable[Mapping[str, str]]) -> list[Digest]:
    """Of what was chosen for each engine on each track, by the manifest's rows."""
    return [
        Digest(part=SETTINGS, of=f"{engine} {track}", sha256=_total(values.items()))
        for (engine, track), values in chosen(rows).items()
    ]


def chosen(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], dict[str, str]]:
    """By engine and track what was chosen for it, without what each session draws anew, such as ports."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        own = found.setdefault((row["engine"], row["track"]), {})
        if row["source"] != REQUIRED and LOOPBACK not in row["value"]:
            own[row["name"]] = row["value"]
    return found


def changed(before: Sequence[Digest], now: Sequence[Digest]) -> list[Digest]:
    """What is not the same, or on one side alone; nothing if it was not recorded before.

    Settings follow from the rest, and are told by sessions only.
    """
    ours, theirs = ({(one.of, one.part): one for one in side if one.part != SETTINGS} for side in (before, now))
    keys = dict.fromkeys([*ours, *theirs]) if ours else {}
    return [theirs.get(key) or ours[key] for key in keys if ours.get(key) != theirs.get(key)]


def engine_of(arm: str) -> str:
    """The engine of an arm, which may be another version, isolation or second name of it; also of `engine track`."""
    return re.split(r"[-@ ]", arm, maxsplit=1)[0]


def of_file(path: Path) -> str:
    """Of one file's content, read only if it may have changed since the last time; empty if it is gone."""
    try:
        stat = path.stat()
        return _read(path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    except FileNotFoundError:
        return ""


@cache
def _read(path: Path, *_: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _parted(folder: Path, parts: Mapping[str, Sequence[str] | str]) -> Iterator[tuple[str, str]]:
    """The digest of each part that has any files."""
    part_of = {top: part for part, tops in parts.items() if part != REST for top in tops}
    found: dict[str, list[tuple[str, str]]] = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if not NO_SOURCE.search(name) and path.is_file():
            part = part_of.get(name.partition("/")[0], str(parts[REST]))
            found.setdefault(part, []).append((name, of_file(path)))
    for part, files in sorted(found.items()):
        yield part, _total(files)


def _total(pairs: Iterable[tuple[str, str]]) -> str:
    total = hashlib.sha256()
    for name, value in sorted(pairs):
        total.update(f"{name}\0{value}\n".encode())
    return total.hexdigest()
