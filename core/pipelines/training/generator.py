"""The built-in data: card transactions with a known risk of fraud."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.instrument.artifacts import atomic

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = 50_000
TARGET = "fraud"
TIME = "time_utc"
"""When it happened: ISO 8601."""
CATEGORIES = ("electronics", "fuel", "groceries", "jewellery", "online", "travel")
COUNTRIES = ("AT", "BR", "DE", "FR", "GB", "IN", "US")
CATEGORY_RISK = np.array([0.5, -0.3, -0.8, 0.9, 0.4, 0.2])
COUNTRY_RISK = np.array([-0.2, 0.5, -0.3, -0.1, 0.0, 0.3, 0.1])


@dataclass(frozen=True, slots=True)
class Transactions:
    """Parameters of the generated data. Fractions are between 0 and 1."""

    rows: int = ROWS
    days: int = 30
    fraud_rate: float = 0.05
    null_rate: float = 0.02
    seed: int = 7


def generate(what: Transactions) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Draw card transactions; return the table (with the column `fraud`) and each row's true P(fraud).

    P(fraud) = logistic(b + 0.9 log(amount/50)+ + 1.2 night + category risk + country risk
    + 0.35 recent transactions + 1.5 night x foreign), with b chosen so that the mean is the fraud
    rate. No feature outside the table enters, so the AUC of the returned probabilities against
    the column `fraud` is the best that any model can reach, but for the nulls.
    """
    random = np.random.default_rng(what.seed)
    n = what.rows
    amount = np.round(random.lognormal(3.5, 1.1, n), 2)
    hour = random.integers(0, 24, n)
    category = random.integers(0, len(CATEGORIES), n)
    country = random.integers(0, len(COUNTRIES), n)
    foreign = random.random(n) < 0.15
    recent = random.poisson(1.5, n)
    night = (hour < 6).astype(float)
    score = (
        0.9 * np.maximum(np.log(amount / 50), 0) + 1.2 * night + CATEGORY_RISK[category]
        + COUNTRY_RISK[country] + 0.35 * recent + 1.5 * night * foreign
    )  # fmt: skip
    probability = _logistic(score + _intercept(score, what.fraud_rate))
    start = np.datetime64("2026-01-01T00:00:00.000")
    # milliseconds, so that the time stays an identifier however many rows there are
    day = random.integers(0, what.days, n)
    moment = ((day * 24 + hour) * 3600 * 1000 + random.integers(0, 3600 * 1000, n)).astype("timedelta64[ms]")
    table = pd.DataFrame(
        {
            "transaction": np.char.add("t", np.char.zfill(np.arange(n).astype(str), 9)),
            TIME: (start + moment).astype(str),
            "hour": hour,
            "amount": _with_nulls(amount, what.null_rate, random),
            "category": np.array(CATEGORIES)[category],
            "country": np.array(COUNTRIES)[country],
            "foreign": foreign.astype(int),
            "recent_transactions": _with_nulls(recent.astype(float), what.null_rate, random),
            TARGET: (random.random(n) < probability).astype(int),
        }
    )
    return table, probability


def write_transactions(what: Transactions, path: Path) -> Path:
    """Generate card transactions into a CSV file, atomically, and return its path."""
    table, _ = generate(what)
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False)
    return path


def _logistic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-x))


def _intercept(score: NDArray[np.float64], rate: float) -> float:
    """Bisect for the intercept at which the mean probability is `rate`."""
    low, high = -30.0, 30.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _logistic(score + middle).mean() < rate else (low, middle)
    return (low + high) / 2


def _with_nulls(values: NDArray[np.float64], rate: float, random: np.random.Generator) -> NDArray[np.float64]:
    return np.where(random.random(len(values)) < rate, np.nan, values)
