"""What characters a user's file is written in."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from core.instrument.errors import ConfigError, DataError
from core.pipelines.dialect import PLAIN
from core.pipelines.packed import opened

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
"""Byte order marks; that of UTF-32 begins like that of UTF-16, so it comes first."""
WESTERN = "cp1252"
"""What is taken for latin-1 too, of which it is the larger: https://encoding.spec.whatwg.org/#names-and-labels."""
PIECE_BYTES = 1 << 20
ODD, OTHER = re.compile("[\udc80-\udcff]"), re.compile("[^\x00-\x7f\udc80-\udcff]")
"""Decoded with surrogate escapes: bytes that are not UTF-8, and characters beyond ASCII."""
RARELY = 4
"""As many times more bytes that are not UTF-8 than other characters there are in a text of another encoding."""
ZEROS = 0.25
"""The share of zero bytes from which on a text is UTF-16."""


def known(encoding: str) -> str:
    """As Python names it; ConfigError if it does not, or it is none of text."""
    try:
        found = codecs.lookup(encoding)
    except (LookupError, ValueError):
        raise ConfigError(f"--encoding {encoding!r}: Python knows no encoding of that name") from None
    if not getattr(found, "_is_text_encoding", True):
        raise ConfigError(f"--encoding {encoding}: is no encoding of text; give one such as utf-8")
    return found.name


def encoding_of(path: Path, compression: str) -> str:
    """By its mark; UTF-8 if all of it is; else what Western files were written in, if nothing speaks against it."""
    with opened(path, compression) as stream:
        start = stream.read(4)
        marked = next((name for mark, name in MARKS.items() if start.startswith(mark)), "")
    if marked:
        return marked
    odd, first, others, lines = list[str](), 0, 0, 1
    for text in _escaped(path, compression):
        if "\0" in text:
            raise DataError(f"{path}: {_of_zeros(text, lines)}")
        found = ODD.findall(text)
        if found and not odd:
            first = lines + text.count("\n", 0, text.index(found[0]))
        odd += found
        others, lines = others + len(OTHER.findall(text)), lines + text.count("\n")
    if not odd:
        return PLAIN.encoding
    # by chance a few pairs of Western characters are UTF-8, but not most
    if len(odd) > max(RARELY * others, 1) and all(_western(ord(one) - 0xDC00) for one in set(odd)):
        return WESTERN
    why = "though others are" if others else f"and too little to tell that it is {WESTERN}"
    raise DataError(
        f"{path}: line {first}: byte 0x{ord(odd[0]) - 0xDC00:02x} is not UTF-8, {why}; mend it or give --encoding NAME"
    )


def _of_zeros(text: str, lines: int) -> str:
    """UTF-16 of Western text has a zero in every second place; one alone is an accident."""
    start = text[:1000]
    later, earlier = start[1::2].count("\0"), start[::2].count("\0")
    if later + earlier < ZEROS * len(start):
        line = lines + text.count("\n", 0, text.index("\0"))
        return f"line {line}: holds a zero byte; take it out, or save as CSV what is no text"
    name = "utf-16-le" if later > earlier else "utf-16-be"
    return f"holds zero bytes, as UTF-16 does, or is no text; give --encoding {name}"


def _escaped(path: Path, compression: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with opened(path, compression) as stream:
        while piece := stream.read(PIECE_BYTES):
            yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _western(byte: int) -> bool:
    return byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)  # the five that stand for nothing
