"""The steps from CSV to metrics: same digest every time, and rules that say what they found."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from core_runs import LENIENT, digests, until_evaluated

from core.instrument.artifacts import TEMPORARY_PREFIX, check
from core.instrument.config import RunConfig
from core.instrument.errors import DataError
from core.pipelines.training import steps
from core.pipelines.training.settings import Hyperparameters, Validation

MakeConfig = Callable[..., RunConfig]
MakeCsv = Callable[..., Path]


def loaded(reference: dict[str, Any]) -> dict[str, Any]:
    return json.loads(Path(reference["path"]).read_text())


def labelled(rows: int, labels: tuple[str, ...], seed: int = 1) -> str:
    """A table whose number and text columns tell the label, with an identifier."""
    draw = random.Random(seed)
    lines = ["id,size,colour [RGB],label"]
    for n in range(rows):
        label = labels[n % len(labels)]
        lines.append(f"k{n},{labels.index(label) * 10 + draw.random():.3f},{draw.choice('abc')}{label},{label}")
    return "\n".join(lines) + "\n"


def test_every_step_twice_gives_the_same_digest(config: RunConfig) -> None:
    first = until_evaluated(config)
    assert digests(until_evaluated(config)) == digests(first)
    deployed = [steps.deploy(str(config.path), first["train"], first["evaluate"]) for _ in range(2)]
    assert deployed[0] == deployed[1]


def test_digests_do_not_depend_on_run_or_folder_but_on_data_and_seed(make_config: MakeConfig) -> None:
    first, again = (digests(until_evaluated(make_config())) for _ in range(2))
    assert first == again
    seeded = digests(until_evaluated(make_config(seed=8)))
    assert seeded["raw"] == first["raw"]
    assert seeded["features"] != first["features"]


def test_digests_do_not_depend_on_the_chunks(make_config: MakeConfig) -> None:
    # the row groups of the Parquet file follow the chunks, so only what is made of it is the same
    whole, parts = (digests(until_evaluated(make_config(chunk_rows=rows))) for rows in (5000, 300))
    assert {**parts, "raw": ""} == {**whole, "raw": ""}


def test_validate_returns_what_it_was_given_and_reports(config: RunConfig) -> None:
    raw = steps.extract(str(config.path))
    assert steps.validate(str(config.path), raw) == raw
    report = json.loads((config.run_dir / "validation.json").read_text())
    assert report["rows"] == 2000
    assert sum(report["classes"].values()) == 2000


@pytest.mark.parametrize("key", ["", "late", "whole"])
def test_duplicates_are_counted_whether_or_not_a_column_tells_all_rows_apart(
    make_config: MakeConfig, csv: MakeCsv, key: str
) -> None:
    """`late`: the first rows alone look as if there were such a column."""
    numbers = {"": [n % 9 for n in range(2400)], "late": [n % 1200 for n in range(2400)], "whole": list(range(2400))}
    rows = [f"{number},{'ab'[number % 2]},{'uv'[number % 2]}" for number in numbers[key]]
    config = make_config(data=csv("\n".join(["n,t,y", *rows, ""])), target="y", validation=LENIENT)
    steps.validate(str(config.path), steps.extract(str(config.path)))
    report = json.loads((config.run_dir / "validation.json").read_text())
    assert report["duplicates"] == pd.read_csv(config.settings["data"]).duplicated().mean()


RULES: list[tuple[str, str, dict[str, Any], str]] = [
    ("min_rows", "a,y\n1,u\n2,v\n", {"min_rows": 3}, "2 rows, at least 3 needed"),
    ("max_null_fraction", "a,b,y\n,1,u\n,2,v\n3,3,u\n,4,v\n", {"max_null_fraction": 0.5}, "column 'a' is 75.0% null"),
    ("target_not_null", "a,y\n1,u\n2,\n3,v\n4,v\n", {}, "target 'y' is empty in 1 rows"),
    (
        "max_duplicate_fraction",
        "a,y\n1,u\n1,u\n1,u\n2,v\n",
        {"max_duplicate_fraction": 0.2},
        "50.0% of the rows are dup",
    ),
    ("target_classes", "a,y\n1,u\n2,u\n3,u\n", {}, "target 'y' has 1 classes, not 2"),
    ("target_classes", "a,y\n1,u\n2,u\n3,v\n", {}, "class 'v' of target 'y' has 1 row, and rows are split by class"),
    ("max_classes", "a,y\n1,u\n2,u\n3,v\n4,v\n5,w\n6,w\n", {"max_classes": 2}, "has 3 classes, at most 2 allowed"),
    ("schema", "a,z\n1,u\n2,v\n", {}, "missing columns: y"),
    ("schema", "a,y\n1,u\n2,v\n", {"columns": ("a", "b", "y")}, "missing columns: b; unexpected columns: none"),
    ("schema", "a,b,y\n1,2,u\n", {"columns": ("a", "y")}, "missing columns: none; unexpected columns: b"),
    ("schema", "y\nu\nv\n", {}, "no column beside the target"),
]


@pytest.mark.parametrize(("rule", "text", "rules", "found"), RULES)
def test_each_rule_names_file_rule_and_finding(
    make_config: MakeConfig, csv: MakeCsv, *, rule: str, text: str, rules: dict[str, Any], found: str
) -> None:
    loose = {"min_rows": 1, "max_duplicate_fraction": 1.0, "max_null_fraction": 1.0}
    path = str(make_config(data=csv(text), target="y", validation=Validation(**loose | rules)).path)
    raw = steps.extract(path)
    with pytest.raises(DataError) as caught:
        steps.validate(path, raw)
    message = str(caught.value)
    assert f"data.csv: rule {rule}: " in message
    assert found in message
    assert "; mend the source" in message


def test_more_classes_than_test_rows_cannot_be_split(make_config: MakeConfig, csv: MakeCsv) -> None:
    text = "a,y\n" + "".join(f"{n},c{n % 6}\n" for n in range(12))
    path = str(make_config(data=csv(text), target="y", test_fraction=0.1, validation=LENIENT).path)
    with pytest.raises(DataError, match=r"data\.csv: rule splittable"):
        steps.features(path, steps.validate(path, steps.extract(path)))


@pytest.mark.parametrize("labels", [("no", "yes"), ("low", "mid", "top"), ("0", "1"), ("1", "2", "10")])
def test_two_or_more_classes_of_text_or_numbers(make_config: MakeConfig, csv: MakeCsv, labels: tuple[str, ...]) -> None:
    config = make_config(
        data=csv(labelled(300, labels)), target="label", hyperparameters=Hyperparameters(n_estimators=20)
    )
    results = until_evaluated(config)
    metrics = loaded(results["evaluate"])
    assert metrics["classes"] == sorted(labels)
    assert metrics["rows"] == 75
    assert (metrics["accuracy"], metrics["f1"], metrics["roc_auc"]) == (1.0, 1.0, 1.0)
    assert metrics["log_loss"] < 0.2
    assert results["branch"] == "deploy"


def test_identifiers_are_dropped_and_odd_names_of_columns_allowed(make_config: MakeConfig, csv: MakeCsv) -> None:
    config = make_config(data=csv(labelled(200, ("no", "yes"))), target="label")
    folder = Path(until_evaluated(config)["features"]["path"])
    encoding = json.loads((folder / "encoding.json").read_text())
    assert encoding["dropped"] == ["id"]
    assert list(encoding["categories"]) == ["colour [RGB]"]
    assert list(pd.read_parquet(folder / "train.parquet").columns) == ["size", "colour (RGB)", "__label__"]


def test_nothing_but_identifiers_is_told(make_config: MakeConfig, csv: MakeCsv) -> None:
    text = "id,y\n" + "".join(f"k{n},{'uv'[n % 2]}\n" for n in range(40))
    path = str(make_config(data=csv(text), target="y", validation=LENIENT).path)
    with pytest.raises(DataError, match=r"rule usable_features: every column is empty or an identifier \(id\)"):
        steps.features(path, steps.validate(path, steps.extract(path)))


def test_encoding_is_learned_from_the_training_rows_alone(make_config: MakeConfig, csv: MakeCsv) -> None:
    """Missing numbers become the training median; unseen and missing texts the code -1."""
    source = csv("n,t,y\n1,b,u\n3,a,u\n,a,v\n5,b,v\n")
    test = csv("y,t,n\nu,z,\nv,,100\nv,b,2\n", "test.csv")
    path = str(make_config(data=source, test_data=test, target="y", validation=LENIENT).path)
    folder = check(steps.features(path, steps.validate(path, steps.extract(path))))
    train, held_out = (pd.read_parquet(folder / f"{part}.parquet") for part in ("train", "test"))
    assert train["n"].tolist() == [1, 3, 3, 5]
    assert train["t"].tolist() == [1, 0, 0, 1]
    assert held_out["n"].tolist() == [3, 100, 2]
    assert held_out["t"].tolist() == [-1, -1, 1]
    assert held_out["__label__"].tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("test_text", "message"),
    [
        ("t,y\na,u\n", r"test\.csv: rule test_schema: missing columns: n"),
        ("n,t,y\n", r"test\.csv: rule test_schema: no rows"),
        ("n,t,y\n1,a,w\n", "rule test_classes: target 'y' has the classes 'w', and 'u', 'v' in the training rows"),
        ("n,t,y\nmany,a,u\n", "rule test_schema: column 'n' holds text, and numbers in .*: 'many' in row 1"),
    ],
)
def test_a_test_file_that_does_not_fit_is_told(
    make_config: MakeConfig, csv: MakeCsv, test_text: str, message: str
) -> None:
    source = csv("n,t,y\n1,b,u\n3,a,u\n,a,v\n5,b,v\n")
    config = make_config(data=source, test_data=csv(test_text, "test.csv"), target="y", validation=LENIENT)
    path = str(config.path)
    with pytest.raises(DataError, match=message):
        steps.features(path, steps.validate(path, steps.extract(path)))


def test_a_target_written_as_numbers_in_another_way_is_the_same_class(make_config: MakeConfig, csv: MakeCsv) -> None:
    config = make_config(
        data=csv("n,t,y\n1,b,0.0\n3,a,0.0\n2,a,1.0\n5,b,1.0\n"), test_data=csv("n,t,y\n1,a,0\n2,b,1\n", "test.csv"),
        target="y", validation=LENIENT,
    )  # fmt: skip
    assert loaded(until_evaluated(config)["evaluate"])["rows"] == 2


def test_roc_auc_is_null_when_the_test_rows_lack_a_class(make_config: MakeConfig, csv: MakeCsv) -> None:
    config = make_config(
        data=csv(labelled(60, ("no", "yes"))), test_data=csv("id,size,colour [RGB],label\nk,1,a,no\n", "test.csv"),
        target="label", validation=LENIENT,
    )  # fmt: skip
    assert loaded(until_evaluated(config)["evaluate"])["roc_auc"] is None


def test_cleanup_removes_what_killed_attempts_left_and_nothing_else(config: RunConfig) -> None:
    raw = steps.extract(str(config.path))
    (config.run_dir / f"{TEMPORARY_PREFIX}raw-1").mkdir()
    (config.run_dir / f"{TEMPORARY_PREFIX}raw-1" / "source.parquet").touch()
    (config.run_dir / "raw" / "..").joinpath(f"{TEMPORARY_PREFIX}x").touch()
    assert steps.cleanup(str(config.path)) == 2
    assert steps.cleanup(str(config.path)) == 0
    assert check(raw)
    assert config.path.exists()


def test_real_census_data_is_learned_better_than_published(make_config: MakeConfig, real_data: Path) -> None:
    """The best published figure for a Naive-Bayes variant on the official split is 14.05 % error."""
    config = make_config(
        data=real_data / "adult-train.csv", test_data=real_data / "adult-test.csv", target="income", threshold=0.8
    )
    results = until_evaluated(config)
    metrics = loaded(results["evaluate"])
    assert (results["raw"]["rows"], metrics["rows"]) == (32_561, 16_281)
    assert metrics["accuracy"] > 1 - 0.1405
    assert results["branch"] == "deploy"


def test_real_customers_with_blanks_among_numbers_and_an_identifier(make_config: MakeConfig, real_data: Path) -> None:
    results = until_evaluated(make_config(data=real_data / "telco-churn.csv", target="Churn"))
    encoding = json.loads((Path(results["features"]["path"]) / "encoding.json").read_text())
    assert encoding["dropped"] == ["customerID"]
    assert "TotalCharges" in encoding["medians"]
    assert loaded(results["evaluate"])["roc_auc"] > 0.8
