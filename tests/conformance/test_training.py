"""What belongs to the training pipeline alone: its other branch, its metrics, and what it says of empty data."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from plain_loop import conduct_inline

from bench.run.conductor import Conductor
from bench.session.bring_up import Session

BELOW_ANY_MODEL = 1.1


@pytest.fixture(autouse=True)
def own(measured: str) -> None:
    if measured != "training":
        pytest.skip("another pipeline")


def test_notify_path(conductor: Conductor, limited: Session) -> None:
    oracle = conduct_inline(conductor.store, conductor.source, "inline-notify", threshold=BELOW_ANY_MODEL)
    judge = replace(conductor, oracle=oracle, label=f"{conductor.label}-notify")
    seen = judge.served(limited, threshold=BELOW_ANY_MODEL)
    assert seen.run.outcome == "completed"
    assert "notify" in seen.journal.steps()
    assert "deploy" not in seen.journal.steps()
    assert seen.right
    metrics = json.loads((conductor.store.folder / "runs" / seen.run.run_id / "metrics.json").read_text())
    assert metrics["roc_auc"] > 0.7
