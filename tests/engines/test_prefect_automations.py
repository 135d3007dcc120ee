"""The automations that are created are those that the settings tell of."""

from __future__ import annotations

from bench.contract.project import PROJECT
from impl_prefect.settings import ZOMBIES

FILES = PROJECT / "impl_prefect" / "pipelines"


def test_lost_runs_are_given_up_after_the_documented_time() -> None:
    """The example of https://docs.prefect.io/v3/advanced/detect-zombie-flows."""
    assert "\n  within: 90\n" in (FILES / ZOMBIES).read_text()
