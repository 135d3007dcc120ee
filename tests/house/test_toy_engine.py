"""An engine is a folder: added to a copy of the checkout, it is tested, measured, killed, judged and shown."""

from __future__ import annotations

from pathlib import Path

from checkout import ENGINE, Checkout
from results import Result

RECOVERED = {"completed", "completed after recovery"}


def test_it_passes_conformance(checkout: Checkout) -> None:
    said = checkout.run("-m", "pytest", "tests/conformance", "--engine", "toy", "-q", "-p", "no:cacheprovider")
    assert " passed" in said
    assert "failed" not in said


def test_a_quick_run_measures_kills_judges_and_shows_it(checkout: Checkout, tmp_path: Path) -> None:
    checkout.run("-m", "bench", "run", "--engine", "toy", "--budget", "quick", "-o", str(tmp_path))
    result = Result.latest(tmp_path)
    assert result.manifest["state"] == "complete", result.undone("toy")
    assert not result.undone("toy")
    values = result.values("toy")
    assert values["recovery.transient_error.outcome"] == "completed after recovery"
    assert values["recovery.step_killed.outcome"] == "completed after recovery"
    assert values["recovery.step_killed.duplicates"] == 0
    assert values["recovery.resume_after_fix.outcome"] == "completed after recovery"
    assert "Toyflow" in result.page
    assert "engine-6" in result.page
    assert "the result is complete" in checkout.run("tests/check_result.py", str(result.folder))


def test_what_is_broken_from_outside_is_judged(checkout: Checkout, tmp_path: Path) -> None:
    faults = ("--fault", "worker_killed", "--fault", "api_killed")
    checkout.run("-m", "bench", "chaos", "--engine", "toy", *faults, "-o", str(tmp_path))
    result = Result.latest(tmp_path)
    values = result.values("toy")
    assert values["recovery.worker_killed.outcome"] == "completed after recovery"
    assert values["recovery.api_killed.outcome"] in RECOVERED
    assert not values["recovery.worker_killed.duplicates"]
    assert not values["recovery.api_killed.duplicates"]


def test_nothing_else_was_touched(checkout: Checkout) -> None:
    assert checkout.changes() == [f"?? {ENGINE}/"]
