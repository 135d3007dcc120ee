"""Files as people bring them: what is recognised, remarked on and refused before anything starts."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from given_files import refused
from hypothesis import given
from hypothesis import strategies as st

from core.declaration import Data
from core.instrument.artifacts import check
from core.instrument.config import RunConfig
from core.instrument.errors import ConfigError, DataError
from core.pipelines.dialect import SEPARATORS
from core.pipelines.training import steps
from core.pipelines.training.source import SOURCE

CITIES = ("Aarhus", "Malmö", "Turku")
ROWS = [(n % 40, n + 0.5, CITIES[n % 3], n % 2) for n in range(1, 121)]
NAMES = ("age", "income", "city", "y")


def text(*, sep: str = ",", decimal: str = ".", end: str = "\n", head: tuple[str, ...] = NAMES) -> str:
    lines = [head, *([str(cell).replace(".", decimal) for cell in row] for row in ROWS)]
    return end.join(sep.join(line) for line in lines) + end


def zipped(content: bytes, *names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return stream.getvalue()


def brought(folder: Path, content: str | bytes, name: str = "data.csv", **options: object) -> Data:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return SOURCE.given({"data": str(path), "target": "y", **options}, 7)


def table_of(data: Data, folder: Path) -> pd.DataFrame:
    """What a run reads of it."""
    config = RunConfig(
        pipeline="training", run_id="r", run_dir=folder / "run", effects_dir=folder / "effects",
        settings={**data.settings},
    )  # fmt: skip
    return pd.read_parquet(check(steps.extract(str(config.save()))) / "source.parquet")


PLAIN = text().encode()
WRITTEN: dict[str, tuple[bytes, str]] = {
    "plain": (PLAIN, ""),
    "semicolon": (text(sep=";").encode(), "separated by semicolon"),
    "tab": (text(sep="\t").encode(), "separated by tab"),
    "bar": (text(sep="|").encode(), "separated by bar"),
    "decimal comma": (text(sep=";", decimal=",").encode(), "separated by semicolon, decimal mark ','"),
    "spaces": (text(sep="   ").encode(), "separated by space"),
    "latin-1": (
        text().encode("latin-1"),
        "encoding cp1252; taken for cp1252, as it is not UTF-8: if letters look wrong give --encoding",
    ),
    "byte order mark": (text().encode("utf-8-sig"), "encoding utf-8-sig"),
    "utf-16": (text().encode("utf-16"), "encoding utf-16"),
    "gzip": (gzip.compress(PLAIN), "compressed with gzip"),
    "bz2": (bz2.compress(PLAIN), "compressed with bz2"),
    "xz": (lzma.compress(PLAIN), "compressed with xz"),
    "zip": (zipped(PLAIN, "data.csv"), "compressed with zip"),
    "a zip of macOS": (zipped(PLAIN, "folder/", "folder/data.csv", "__MACOSX/._data.csv"), "compressed with zip"),
    "carriage returns": (text(end="\r").encode(), "lines end in a carriage return alone"),
    "sep= above": (b"sep=;\r\n" + text(sep=";", end="\r\n").encode(), "separated by semicolon"),
    "blanks around": (text(sep=" , ").encode(), ""),
    "both line ends": (text(end="\r\n").encode(), ""),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_however_it_is_written_the_same_is_read(kind: str, tmp_path: Path) -> None:
    content, said = WRITTEN[kind]
    data = brought(tmp_path, content)
    assert data.about["remarks"] == [f"data.csv: {one}" for one in said.split("; ") if one]
    assert data.about["rows"] == len(ROWS)
    assert data.about["columns"] == list(NAMES)
    read = table_of(data, tmp_path)
    assert [tuple(row) for row in read.itertuples(index=False)] == ROWS


@given(sep=st.sampled_from([*SEPARATORS]), decimal=st.sampled_from(".,"), seed=st.integers(0, 99))
def test_separator_and_decimal_mark_are_those_it_was_written_with(
    tmp_path_factory: pytest.TempPathFactory, sep: str, decimal: str, seed: int
) -> None:
    decimal = "." if sep == "," else decimal
    numbers = [(n * 7 + seed) % 13 + 0.25 for n in range(24)]
    made = pd.DataFrame({"a": numbers, "b": ["x, y"] * 24, "y": [0, 1] * 12})
    folder = tmp_path_factory.mktemp("written")
    data = brought(folder, made.to_csv(index=False, sep=sep, decimal=decimal))
    assert table_of(data, folder)["a"].tolist() == numbers


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ({"separator": ";"}, text(sep=";")),
        ({"separator": "tab"}, text(sep="\t")),
        ({"separator": "%"}, text(sep="%")),
        ({"decimal": ",", "separator": ";"}, text(sep=";", decimal=",")),
        ({"encoding": "cp1250"}, text().encode("cp1250")),
        ({"encoding": "utf-16-le"}, text().encode("utf-16-le")),
    ],
)
def test_what_is_given_is_believed(options: dict[str, str], written: str | bytes, tmp_path: Path) -> None:
    data = brought(tmp_path, written, **options)
    assert table_of(data, tmp_path)["city"].tolist() == [row[2] for row in ROWS]


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "zstd": (b"\x28\xb5\x2f\xfd" + PLAIN, "is compressed with zstd; unpack it first"),
    "parquet": (b"PAR1" + PLAIN, "is a Parquet file; save it as CSV first"),
    "a spreadsheet": (zipped(PLAIN, "a.xml", "b.xml"), "holds 2 files; give one CSV file"),
    "cut off": (gzip.compress(PLAIN)[:-20], "rule readable: "),
    "utf-16 without a mark": (text().encode("utf-16-le"), "holds zero bytes, as UTF-16 does"),
    "one odd byte": (PLAIN.replace(b"Turku", b"Turk\xf6", 1), "line 3: byte 0xf6 is not UTF-8, though others are"),
    "a wrong byte alone": (
        b"a,y\n" + b"1,0\n2,1\n" * 9 + b"\xff,1\n", "line 20: byte 0xff is not UTF-8, and too little",
    ),
    "no separator": ("age income y\n" + "1_2_0\n2_3_1\n" * 20, "no separator was recognised in 'age income y'"),
    "no header": (text().partition("\n")[2], "no column 'y'; its columns are 1, 1.5, Malmö, 1.1; its first line looks"),
    "doubled name": (text(head=("age", "age", "city", "y")), "rule header: it names 'age' more than once"),
    "short header": (text(head=("age", "city", "y")), "rule readable: rows have more fields than the header"),
    "header once more": (text() + text(), "rule header: row 121 is the header once more"),
    "one class": ("a,y\n" + "1,0\n2,0\n" * 20, "target 'y' has 1 classes, not 2"),
    "few rows": ("a,y\n1,0\n2,1\n3,0\n4,1\n", "rule min_rows: 4 rows, at least 10 needed; mend the source or change"),
    "numbers to predict": (
        "a,y\n" + "".join(f"{n},{n / 7}\n" * 2 for n in range(60)),
        "has 60 classes, at most 50 allowed; mend the source or change the rule: --rule max_classes=60",
    ),
    "a header alone": ("age,y\n", "has a header but no rows"),
    "nothing": ("", "rule not_empty"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_no_model_can_be_trained_on_is_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    content, said = REFUSED[kind]
    assert said in refused(tmp_path, content)


def rows_of(cells: Callable[[int], str], more: str = "") -> str:
    """Sixty rows, each by its number."""
    return "a,b,y\n" + "".join(f"{cells(n)},{n % 2}\n" for n in range(60)) + more


REMARKED: dict[str, tuple[str, str]] = {
    "mostly empty": (rows_of(lambda n: f"{n},{'' if n % 5 else 'B5'}"), "b: 80% empty"),
    "infinite": (rows_of(lambda n: f"{n}.5,1", "Infinity,1,1\n-inf,1,0\n"), "a: 2 infinite, taken as missing"),
    "doubled rows": (rows_of(lambda n: f"{n % 4},1"), "93% of the rows were there before"),
    "currency": (rows_of(lambda n: f'"${n},320.76 ",1'), "a: looks like numbers ($0,320.76), read as text"),
    "another mark": (rows_of(lambda n: f'1.23{n},"1.2{n:02},5"'), "b: looks like numbers (1.200,5), read as text"),
    "a word among numbers": (
        rows_of(lambda n: f"{n if n % 9 else 'NA'},1"),
        "a: text in 7 rows, else numbers: read as text; with --na NA --na '?' that means missing",
    ),
    "identifier": (rows_of(lambda n: f"1,key-{n}"), "not used, as nearly every row has another value: b"),
}


@pytest.mark.parametrize("kind", REMARKED)
def test_what_is_only_unusual_is_remarked_on(kind: str, tmp_path: Path) -> None:
    content, said = REMARKED[kind]
    assert said in brought(tmp_path, content).about["remarks"]


def test_words_are_missing_only_where_the_user_says_so(tmp_path: Path) -> None:
    words = ("None", "NA", "null", "NaN", "nan", "n/a")
    content = "a,b,y\n" + "".join(f"{n},{words[n % 6]},{words[n % 2]}\n" for n in range(60))
    data = brought(tmp_path, content)
    assert set(table_of(data, tmp_path)["b"]) == set(words)
    other = brought(tmp_path, content.replace("None,None", "?,None"), na=["nan", "null"])
    read = table_of(other, tmp_path / "other")["b"]
    assert read.isna().sum() == 20
    assert "?" in set(read)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("1,2.5,Turku,2\n2,2.5,Turku,0\n", "target 'y' has the classes '2', '0', and '0', '1' in the training rows"),
        ("1,2.5,Turku,\n", "target 'y' is empty in 1 of the test rows"),
        ("old,2.5,Turku,0\n", "column 'age' holds text, and numbers in"),
    ],
)
def test_test_rows_that_do_not_fit_are_refused(rows: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text(",".join(NAMES) + "\n" + rows)
    with pytest.raises(DataError, match=said):
        brought(tmp_path, text(), test_data=str(tmp_path / "test.csv"))


def test_a_rule_can_be_changed_by_the_option_that_its_message_names(tmp_path: Path) -> None:
    content = "a,y\n1,0\n2,1\n3,0\n4,1\n5,0\n6,1\n7,0\n8,1\n"
    with pytest.raises(DataError, match="--rule min_rows=8"):
        brought(tmp_path, content)
    assert brought(tmp_path, content, rule=["min_rows=8"]).settings["validation"]["min_rows"] == 8
    with pytest.raises(ConfigError, match="--rule luck=1: there is no such rule; there are min_rows, "):
        brought(tmp_path, content, rule=["luck=1"])
    with pytest.raises(ConfigError, match="--rule min_rows=few: is not NAME=NUMBER"):
        brought(tmp_path, content, rule=["min_rows=few"])


def test_records_are_counted_and_not_lines(tmp_path: Path) -> None:
    content = "a,note,y\n" + "".join(f'{n},"two\nlines",{n % 2}\n' for n in range(30)) + "\n\n"
    assert brought(tmp_path, content).about["rows"] == 30


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("make", [pipe, Path.mkdir])
def test_what_is_no_file_is_told_in_one_line(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    make(path)
    with pytest.raises(DataError, match="is no regular file, and it is read more than once"):
        SOURCE.given({"data": str(path), "target": "y"}, 7)


def test_a_name_that_is_no_text_is_told_in_one_line(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.csv"
    Path(os.fsdecode(path)).write_bytes(PLAIN)
    with pytest.raises(ConfigError, match="its name is not UTF-8; rename it") as told:
        SOURCE.given({"data": os.fsdecode(path), "target": "y"}, 7)
    str(told.value).encode()


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.pipelines.training import source  # noqa: PLC0415 - what is replaced in it

    real = source.examined

    def slow(settings: object) -> object:
        with (tmp_path / "data.csv").open("a") as stream:
            stream.write("1,2.5,Turku,0\n")
        return real(settings)  # type: ignore[arg-type]

    monkeypatch.setattr(source, "examined", slow)
    with pytest.raises(DataError, match="was changed while it was read"):
        brought(tmp_path, text())


def test_empty_and_renamed_are_read_as_they_are_written(tmp_path: Path) -> None:
    data = brought(tmp_path, text(sep=";", decimal=","))
    for number, change in enumerate((SOURCE.empty(data, tmp_path), SOURCE.renamed(data, tmp_path))):
        changed = Data({**data.settings, **change}, data.about)
        read = table_of(changed, tmp_path / str(number))
        assert list(read) == (list(NAMES) if number == 0 else ["age_v2", *NAMES[1:]])
    assert read["income"].tolist() == [row[1] for row in ROWS]


def test_nothing_of_it_is_left_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    brought(tmp_path, text())
    with pytest.raises(DataError):
        brought(tmp_path, text() + text())
    assert not list(scratch.iterdir())
