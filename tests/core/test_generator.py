"""The generated card transactions: what they promise, and that the pipeline reaches it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from core.datasets import TARGET, Transactions, generate, write_transactions
from core_runs import until_evaluated
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from core.instrument.config import RunConfig

LARGE = Transactions(rows=50_000)


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
def test_fraud_rate_is_the_one_asked_for(rate: float) -> None:
    table, probability = generate(Transactions(rows=20_000, fraud_rate=rate))
    assert probability.mean() == pytest.approx(rate, abs=1e-6)
    assert table[TARGET].mean() == pytest.approx(rate, abs=4 * np.sqrt(rate * (1 - rate) / 20_000))


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.4])
def test_null_rate_is_the_one_asked_for(rate: float) -> None:
    nulls = generate(Transactions(rows=20_000, null_rate=rate))[0].isna().mean()
    assert nulls["amount"] == pytest.approx(rate, abs=0.02)
    assert nulls["recent_transactions"] == pytest.approx(rate, abs=0.02)
    assert nulls.drop(["amount", "recent_transactions"]).max() == 0


@pytest.mark.parametrize("days", [1, 7])
def test_times_lie_within_the_days_and_agree_with_the_hour(days: int) -> None:
    table, _ = generate(Transactions(rows=5000, days=days))
    times = pd.to_datetime(table["time_utc"], format="ISO8601")
    assert times.min() >= pd.Timestamp("2026-01-01")
    assert times.max() < pd.Timestamp("2026-01-01") + pd.Timedelta(days=days)
    assert times.dt.date.nunique() == days
    assert (times.dt.hour == table["hour"]).all()


def test_same_parameters_give_the_same_file_and_another_seed_another(tmp_path: Path) -> None:
    files = [
        write_transactions(Transactions(rows=500, seed=seed), tmp_path / name).read_bytes()
        for seed, name in ((1, "a"), (1, "b"), (2, "c"))
    ]
    assert files[0] == files[1] != files[2]


def test_identifiers_are_unique() -> None:
    table, _ = generate(Transactions(rows=3000))
    assert table["transaction"].is_unique
    assert table["time_utc"].nunique() >= 0.99 * len(table)


def test_model_comes_near_the_best_reachable_auc_and_not_above_it(
    make_config: Callable[..., RunConfig], tmp_path: Path
) -> None:
    """The true probabilities are the best ranking there is; on the rows that the model is tested on."""
    config = make_config(data=write_transactions(LARGE, tmp_path / "large.csv"))
    metrics = json.loads(Path(until_evaluated(config)["evaluate"]["path"]).read_text())
    table, probability = generate(LARGE)
    _, held_out = train_test_split(
        np.arange(LARGE.rows), test_size=config.test_fraction, random_state=config.seed, stratify=table[TARGET]
    )
    labels = table[TARGET].to_numpy()[held_out]
    best = roc_auc_score(labels, probability[held_out])
    # an AUC's own standard error is at most this; the two are taken on the same rows and differ by less
    noise = np.sqrt(best * (1 - best) / labels.sum())
    assert metrics["rows"] == len(held_out)
    assert best - 0.03 <= metrics["roc_auc"] <= best + noise
    assert metrics["roc_auc"] > 0.7
