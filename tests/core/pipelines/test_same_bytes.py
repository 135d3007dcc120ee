"""The same input is the same output, byte for byte, from one version of the project to the next.

The digests were written down when the steps were a package of their own. With other versions of the
locked libraries they may be others: then compare the figures before writing the new ones down.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from core_runs import digests, until_evaluated

from core.instrument.artifacts import digest_of
from core.instrument.config import RunConfig
from core.pipelines import like_steps
from core.pipelines.daily_files.steps import day
from core.pipelines.training import steps

TRANSACTIONS = "ea615bee85bc5d3849b0c24aa3d66d9446c28d965b5b5e1147f82951bc223f80"
TRAINED = {
    "raw": "3883276acf09b05bddc16c82a83c78f71b58ba6f1cea914c86a7c2b89ef420b8",
    "features": "27c51dc5cc7a90f03de450e1b15600bd290c3d3d33269b526a07521ada0de8fe",
    "train": "65c28be17a2c2a7f6117531b9857e763eab2b6ad45a878cc64130e1f2ee0df04",
    "evaluate": "87345d258098beecf0bd142a49227bdfa2e9f89ed8e5c7406de4909a586f669f",
    "branch": "deploy",
}
FIGURES = {"accuracy": 0.938, "f1": 0.0, "log_loss": 0.2375458925962448, "roc_auc": 0.659010117582718, "rows": 500}
VALIDATION = "127536800adbfdfa135dcf08169191ec5441de1a09e0dbbbc6d69c613b366602"
DEPLOYED = "2727046c42d31d574066aaaa3edbf116e1bce6cbf2620922463865f18080430c"
MESSAGE = "26b32a614e04305e332b589436cbd26d22a8daee9eee9e6aaef7bf14ce845214"
THIRD_DAY = "c2a469c02bea0c47ab4e882762f00606b2a997d8d297ece9e8770a41dd23ac72"
CHAIN = (
    "8464e7ed80d661621dfdc0513e7f339be2b331b888eaa64814ad603724c74e11",
    "6d68cef882a3f3c473904a4d64b3c383bd3631e809ba022715ccf1893049ca00",
)
FAN_OUT = (
    "704154c7446f0008f82cc178cadef1a8a4bff35041eb76a868bf7cdcf6c6ba60",
    "01a7233b34601440743d1e94e205e525b739fbfc1806a8d05f0df28349164f63",
)
CHANNELS = ("engine", "reference")


def test_a_training_run(config: RunConfig, transactions: Path) -> None:
    results, path = until_evaluated(config), str(config.path)
    figures = json.loads(Path(results["evaluate"]["path"]).read_text())
    assert {name: figures[name] for name in FIGURES} == pytest.approx(FIGURES)
    assert digest_of(transactions) == TRANSACTIONS
    assert digests(results) == TRAINED
    assert digest_of(config.run_dir / "validation.json") == VALIDATION
    assert steps.deploy(path, results["train"], results["evaluate"])["digest"] == DEPLOYED
    assert steps.notify(path, results["evaluate"])["digest"] == MESSAGE


def test_a_day(make_config: Callable[..., RunConfig]) -> None:
    assert day(str(make_config("daily_files").path), "2026-01-03")["digest"] == THIRD_DAY


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_chain(make_config: Callable[..., RunConfig], channel: str) -> None:
    path = str(make_config("chain", n=4, fib=5, payload_bytes=100, channel=channel).path)
    parcel = like_steps.work(path, 1)
    for index in (2, 3, 4):
        parcel = like_steps.work(path, index, parcel)
    assert (parcel["digest"], parcel["content"]) == CHAIN


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_fan_out(make_config: Callable[..., RunConfig], channel: str) -> None:
    path = str(make_config("fan_out", n=6, fib=3, payload_bytes=10, channel=channel).path)
    parcel = like_steps.gather(path, *(like_steps.work(path, index) for index in like_steps.plan(path)))
    assert (parcel["digest"], parcel["content"]) == FAN_OUT
