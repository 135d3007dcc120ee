"""What is said of a file's content before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from given_files import PLAIN, brought, lines

from core.instrument.errors import DataError
from core.pipelines.numerals import dressed


def test_the_test_file_is_remarked_on_too(tmp_path: Path) -> None:
    test = lines(lambda n: f"{'inf' if n == 2 else n},${n},{n % 2}")
    data = brought(tmp_path, lines(lambda n: f"{n},w{n % 3},{n % 2}"), test)
    assert "test.csv: a: 1 infinite, taken as missing" in data.about["remarks"]
    assert "test.csv: b: looks like numbers ($0), read as text" in data.about["remarks"]


def test_text_among_numbers_of_the_test_file_is_pointed_at(tmp_path: Path) -> None:
    test = lines(lambda n: f"{'NA' if n in (4, 9) else n},1.5,{n % 2}")
    with pytest.raises(DataError, match=r"column 'a' holds text, .*: 'NA' in row 5; .* give --na '\?' --na NA"):
        brought(tmp_path, PLAIN, test)
    assert brought(tmp_path, PLAIN, test, na=["?", "NA"]).about["rows"] == 60


def test_a_column_without_any_value_is_not_used(tmp_path: Path) -> None:
    data = brought(tmp_path, lines(lambda n: f"{n},,{n % 2}"), lines(lambda n: f"{n},word,{n % 2}"))
    assert "not used, as empty: b" in data.about["remarks"]


REMARKED: dict[str, tuple[str, str]] = {
    "thousands": (lines(lambda n: f'{n},"{900 if n % 4 else "1,234"}",{n % 2}'), "b: looks like numbers (1,234)"),
    "words and decimal comma": (
        lines(lambda n: f"{n};{'NA' if n % 9 == 0 else n}{',5' * (n % 9 > 0)};{n % 2}", "a;b;y"),
        "b: text in 7 rows, else numbers: read as text; with --na NA --na '?' that means missing",
    ),
    "mostly a word": (
        lines(lambda n: f"{n},{'NA' if n % 3 else n},{n % 2}"),
        "b: text in 40 rows, else numbers: read as text; with --na NA --na '?' that means missing",
    ),
    "two words": (
        lines(lambda n: f"{n},{'not known' if n == 1 else 'NA' if n % 9 == 0 else n},{n % 2}"),
        "b: text in 8 rows, else numbers: read as text; with --na NA --na 'not known' --na '?' that means missing",
    ),
    "a header of two lines": (
        lines(lambda n: f"{n},${n},{n % 2}", 'a,"in\nUSD",y'), "in USD: looks like numbers ($0), read as text"
    ),
    "first line of data": (
        lines(lambda n: f"{n},{'uv'[n % 2]}", "7,y").replace("u", "y"), "data.csv: its first line looks like data"
    ),
    "many identifiers": (
        lines(lambda n: ",".join([*(f"k{n}" for _ in range(12)), "1", str(n % 2)]), ",".join([*"abcdefghijklmy"])),
        "not used, as nearly every row has another value: a, b, c, d, e, f, g, h, i, j and 2 more",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REMARKED)
def test_what_is_unusual_is_remarked_on_in_one_line(kind: str, tmp_path: Path) -> None:
    content, said = REMARKED[kind]
    remarks = brought(tmp_path, content).about["remarks"]
    assert any(remark.startswith(said) for remark in remarks), remarks
    assert not any("\n" in remark for remark in remarks)


@pytest.mark.parametrize(
    "text",
    [
        "₹1,199",
        "R$ 1.199,00",
        "EUR 179",
        "1 799,5",
        "1\u00a0799,5",
        "1\u202f799",
        "10,000+",
        "\u22125",
        "12 %",
        "$-5",
        "(1,234)",
    ],
)
def test_what_readers_take_for_a_number(text: str) -> None:
    assert dressed(".").fullmatch(text)


@pytest.mark.parametrize(
    "text", ["01.02.2020", "192.168.1.1", "1.2.3", "0171 123 456", "B5", "12ABC", "2020-01-01", "A 12"]
)
def test_what_they_do_not(text: str) -> None:
    assert not dressed(".").fullmatch(text)
