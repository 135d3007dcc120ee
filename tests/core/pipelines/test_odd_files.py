"""Files with a fault that readers easily pass over: mended and said, or refused in one line."""

from __future__ import annotations

import errno
import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from given_files import PLAIN, brought, features_of, lines, refused, table_of

from core.instrument.errors import ConfigError, DataError
from core.pipelines.training import rules, source
from core.pipelines.training.layout import LABEL


def packed(**entries: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in entries.items():
            archive.writestr(f"{name}.csv", content)
    return stream.getvalue()


def tarred(content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        member = tarfile.TarInfo("data.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def damaged(packed_bytes: bytes) -> bytes:
    middle = len(packed_bytes) // 2
    return packed_bytes[:middle] + b"\xff" * 40 + packed_bytes[middle + 40 :]


LONG = lines(lambda n: f"{n},{n * 7919 % 1000},{n % 2}") * 30
ENCRYPTED, UNKNOWN = bytearray(packed(data=PLAIN)), bytearray(packed(data=PLAIN))
ENCRYPTED[6] = ENCRYPTED[ENCRYPTED.index(b"PK\x01\x02") + 8] = 1
UNKNOWN[8] = UNKNOWN[UNKNOWN.index(b"PK\x01\x02") + 10] = 9

LABELS = ("yes", "no", "yes ", "no\t")
SWALLOWED = lines(lambda n: f"{n},{chr(34) if n in (20, 30) else ''}word{n % 3},{n % 2}")

READ: dict[str, tuple[str, str, list[object], str]] = {
    "a separator behind rows": (
        lines(lambda n: f"{n},{n % 5},{n % 2},"), "a", [*range(60)], "data.csv: rows end in a separator"
    ),
    "comma of thousands": (
        lines(lambda n: f"{n}.25\t1,{n:03}\t{n % 2}", "a\tb\ty"), "a", [n + 0.25 for n in range(60)], "b: looks like"
    ),
    "point of thousands": (
        lines(lambda n: f"{n},5;1.{n:03};{n % 2}", "a;b;y"), "a", [n + 0.5 for n in range(60)], "b: looks like"
    ),
    "point that may be of thousands": (
        lines(lambda n: f"{n};1.{n:03};{n % 2}", "a;b;y"), "b", [1 + n / 1000 for n in range(60)],
        "data.csv: the point of 1.000 is taken for a decimal one; if it parts thousands give --decimal ,",
    ),
    "blanks in text": (
        lines(lambda n: f'{n},"{" " * (n % 2)}x{" " * (n % 3)}",{n % 2}'), "b", ["x"] * 60, ""
    ),
    "blanks in labels": (
        lines(lambda n: f"{n},1,{LABELS[n % 4]}"), "y", ["yes", "no"] * 30, ""
    ),
    "blanks behind ?": (
        lines(lambda n: f"{n},{'? ' if n % 2 else '?   ' if n % 3 else 5},{n % 2}"),
        "b", [None if n % 2 or n % 3 else 5 for n in range(60)], "b: 83% empty",
    ),
    "blanks in names": (lines(lambda n: f"{n},x ,{n % 2}", "a ,b\t,y "), "b", ["x"] * 60, ""),
    "empty rows": (PLAIN + ",,\n" * 3, "a", [*range(60)], "3 rows without any value left out"),
    "a missing label": (PLAIN + "7,7.5,\n", "a", [*range(60)], "1 row without a label left out"),
    "beyond 32 bits": (
        lines(lambda n: f"{n},{'1e300' if n == 3 else n}.0,{n % 2}".replace("300.0", "300")),
        "b", [None if n == 3 else n for n in range(60)], "b: 1 infinite, taken as missing",
    ),
    "a quote not closed": (
        SWALLOWED.replace('30,"word0,', '30,"word0",'), "y", [n % 2 for n in range(60) if n not in range(21, 31)],
        "b: 1 field over several lines, up to 11; is a quote not closed?",
    ),
    "a column without a name": (
        lines(lambda n: f"{n},{n % 5},{n % 2}", ",b,y"), "b", [n % 5 for n in range(60)],
        "data.csv: column 1 has no name, and is called 'Unnamed: 0'",
    ),
    "an early German text": (
        lines(lambda n: f"{n},Maß{'“' * (n == 5)}ig,{n % 2}"), "a", [*range(60)], "data.csv: encoding cp1252"
    ),
    "a mark in the first line": (
        "y,t\r" + "".join(f"{n % 2},{'long ' * 9000}{n % 3}\r" for n in range(40)),
        "y", [0, 1] * 20, "data.csv: lines end in a carriage return alone",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", READ)
def test_the_right_thing_is_read_and_said(kind: str, tmp_path: Path) -> None:
    content, column, values, said = READ[kind]
    data = brought(tmp_path, content.encode("cp1252") if "German" in kind else content)
    read = table_of(data, tmp_path)[column]
    assert [None if pd.isna(value) else value for value in read] == values
    assert any(remark.startswith(said) for remark in data.about["remarks"]) or not said
    assert not any("\n" in remark for remark in data.about["remarks"])


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "surplus fields": (lines(lambda n: f"{n},{n},{n % 2},{n}"), "rows have more fields than the header"),
    "comma of either kind": (
        lines(lambda n: f"{n}\t1,{n:03}\t{n % 2}", "a\tb\ty"),
        "is the comma of 1,000 a decimal one? Give --decimal , or else --decimal .",
    ),
    "damaged gzip": (damaged(gzip.compress(LONG.encode())), "rule readable: "),
    "encrypted zip": (bytes(ENCRYPTED), "rule readable: File 'data.csv' is encrypted"),
    "zip of another kind": (bytes(UNKNOWN), "rule readable: That compression method is not supported"),
    "tar": (tarred(PLAIN.encode()), "is a tar archive; unpack it first"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "is a spreadsheet; save it as CSV first"),
    "utf-16-be": (PLAIN.encode("utf-16-be"), "give --encoding utf-16-be"),
    "one zero byte": (PLAIN.replace("3.5", "3\0", 1), "line 5: holds a zero byte"),
    "text without a header": (
        lines(lambda n: f"{'xyz'[n % 3]},{'uv'[n % 2]},{'uv'[n % 2]}", "x,u,u"), "its first line looks like data",
    ),
    "a number without a header": (
        lines(lambda n: f"{n}.0,{'?' if n % 9 else n},{n % 2}", "63.0,1.0,0"), "its first line looks like data",
    ),
    "another case": (PLAIN.replace("y", "Y", 1), "no column 'y'; its columns are a, b, Y; did you mean 'Y'?"),
    "a title": (
        "Passengers of 1912, all\n" + lines(lambda n: f"{n},2,3,{n % 2}", "a,b,c,y"), "is no header, others have 4"
    ),
    "the census' test file": (
        lines(lambda n: f"{n}, Private, 2174, {n % 2}", "|1x3 Cross validator"),
        "line 1 ('|1x3 Cross validator') is no header, others have 4 fields; take it out",
    ),
    "many names": (
        ",".join(f"c{n}" for n in range(2001)) + "\n" + ",".join("1" * 2001) + "\n", "c8, c9 and 1,991 more",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_used_is_told_in_one_line(kind: str, tmp_path: Path) -> None:
    content, said = REFUSED[kind]
    assert said in refused(tmp_path, content)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"separator": "¦"}, "--separator '¦': cannot be read by"),
        ({"separator": "\n"}, "--separator '\\n': cannot be read by"),
        ({"separator": "::"}, "--separator ::: is more than one character"),
        ({"decimal": "\n"}, "--decimal '\\n': cannot be read by"),
        ({"encoding": "hex"}, "--encoding hex: is no encoding of text"),
        ({"encoding": "a\0b"}, "--encoding 'a\\x00b': Python knows no encoding of that name"),
        ({"rule": ["max_duplicate_fraction=inf"]}, "--rule max_duplicate_fraction=inf: is not NAME=NUMBER"),
        ({"rule": ["max_null_fraction=nan"]}, "--rule max_null_fraction=nan: is not NAME=NUMBER"),
        ({"rule": ["max_null_fraction=1.5"]}, "--rule max_null_fraction=1.5: Expected `float` <= 1.0"),
        ({"rule": ["min_rows=-5"]}, "--rule min_rows=-5: Expected `int` >= 0"),
        ({"rule": ["max_classes=1"]}, "--rule max_classes=1: Expected `int` >= 2"),
    ],
)
def test_options_that_cannot_be_meant_are_told(options: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        brought(tmp_path, PLAIN, **options)
    assert said in str(refused.value)


@pytest.mark.parametrize("word", ["semicolon", ";"])
def test_a_separator_can_be_given_in_words(word: str, tmp_path: Path) -> None:
    data = brought(tmp_path, PLAIN.replace(",", ";"), separator=word, target=" y")
    assert data.about["columns"] == ["a", "b", "y"]


def test_files_out_of_reach_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with pytest.raises(DataError, match=r"rule readable: .*name too long"):
        source.SOURCE.given({"data": str(tmp_path / ("x" * 300)), "target": "y"}, 7)
    monkeypatch.setattr(Path, "stat", denied)
    with pytest.raises(DataError, match=r"rule readable: .*Permission denied"):
        source.SOURCE.given({"data": "/hidden/data.csv", "target": "y"}, 7)


def test_a_full_disk_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(settings: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(source, "examined", full)
    with pytest.raises(DataError, match="let TMPDIR name another folder"):
        brought(tmp_path, PLAIN)


def test_features_whose_names_would_be_the_same_are_kept_apart(tmp_path: Path) -> None:
    data = brought(tmp_path, lines(lambda n: f"{n},{n * 2},{n % 2}", "a[,a(,y"))
    train = pd.read_parquet(features_of(data, tmp_path) / "train.parquet")
    assert list(train) == ["a(", "a(_2", LABEL]
    assert (train["a(_2"] == 2 * train["a("]).all()


def test_a_rule_is_offered_in_a_form_that_is_taken() -> None:
    with pytest.raises(DataError, match=r"--rule max_classes=1050000$"):
        rules.require(Path("data.csv"), "max_classes", False, "many", 1_050_000)
