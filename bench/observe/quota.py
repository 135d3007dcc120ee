"""How much of the host's CPU a container may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CONTROLLER = "cpu"
UNLIMITED = ("max", "-1")


def cpu_quota(root: Path = Path("/")) -> float | None:
    """Cores that this process may use on average, by the bandwidth limits of its control groups; None without one.

    Of several limits, one within another, the least holds. Files of version 2 are described in
    https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files, of version 1 in
    https://docs.kernel.org/scheduler/sched-bwc.html. `root`: where `proc` and `sys` are.
    """
    return min(_limits(root), default=None)


def _limits(root: Path) -> Iterator[float]:
    for folder in _groups(root):
        with suppress(OSError):  # not every group may be read
            quota, period = _first_version(folder) or _second_version(folder) or ("max", "")
            if quota not in UNLIMITED:
                yield round(int(quota) / int(period), 3)


def _groups(root: Path) -> Iterator[Path]:
    """The folders of the groups that this process is in, up to the outermost that can be seen."""
    listed = root / "proc" / "self" / "cgroup"
    for line in listed.read_text().splitlines() if listed.exists() else ():
        _, controllers, path = line.split(":", 2)
        if controllers and CONTROLLER not in controllers.split(","):
            continue
        mounted = root / "sys" / "fs" / "cgroup"
        named = (mounted / name for name in (CONTROLLER, controllers))  # the first is a link, which some lack
        tree = next((one for one in named if one.is_dir()), mounted) if controllers else mounted
        group = tree / path.lstrip("/")
        yield from (one for one in (group, *group.parents) if one.is_relative_to(tree))


def _second_version(folder: Path) -> list[str]:
    path = folder / "cpu.max"
    return path.read_text().split() if path.exists() else []


def _first_version(folder: Path) -> list[str]:
    paths = [folder / f"cpu.cfs_{name}_us" for name in ("quota", "period")]
    return [path.read_text().strip() for path in paths] if paths[0].exists() else []
