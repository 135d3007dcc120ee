"""CPU that a container may use, as its control groups say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.observe.host import describe
from bench.observe.quota import cpu_quota


def lay_out(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


CASES: dict[str, tuple[dict[str, str], float | None]] = {
    "nothing to be seen": ({}, None),
    "no limit": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
    "half a core": ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 0.5),
    "the outer one is less": (
        {
            "proc/self/cgroup": "0::/a/b\n",
            "sys/fs/cgroup/a/b/cpu.max": "200000 100000\n",
            "sys/fs/cgroup/a/cpu.max": "150000 100000\n",
        },
        1.5,
    ),
    "a group that only others see": (
        {"proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/cpu.max": "25000 100000\n"},
        0.25,
    ),
    "version 1": (
        {
            "proc/self/cgroup": "7:memory:/\n3:cpu,cpuacct:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "75000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        0.75,
    ),
    "version 1, without the link of one controller": (
        {
            "proc/self/cgroup": "3:cpu,cpuacct:/a\n",
            "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "75000\n",
            "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
        },
        0.75,
    ),
    "one that cannot be read": (
        {"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max/x": "", "sys/fs/cgroup/cpu.max": "50000 100000\n"},
        0.5,
    ),
    "version 1, no limit": (
        {
            "proc/self/cgroup": "3:cpu,cpuacct:/\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
        },
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_least_of_its_limits_holds(case: str, tmp_path: Path) -> None:
    files, cores = CASES[case]
    assert cpu_quota(lay_out(tmp_path, files)) == cores


def test_hosts_are_described_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.observe.host.cpu_quota", lambda: 0.5)
    assert describe()["cpu_quota_cores"] == 0.5
    monkeypatch.setattr("bench.observe.host.cpu_quota", lambda: None)
    assert "cpu_quota_cores" not in describe()
