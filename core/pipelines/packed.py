"""A user's file unpacked: how it is compressed, and its content."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from core.instrument.errors import DataError
from core.pipelines.wording import short

PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"PK\x03\x04": "zip"}
NO_CSV = {
    b"\x28\xb5\x2f\xfd": "is compressed with zstd; unpack it first",
    b"PAR1": "is a Parquet file; save it as CSV first",
    b"SQLite format 3": "is a database; save one of its tables as CSV first",
    b"\xd0\xcf\x11\xe0": "is a spreadsheet; save it as CSV first",
}
TAR, TAR_AT = b"ustar", 257
BROKEN = (OSError, EOFError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, RuntimeError)
"""RuntimeError: an archive is encrypted, or packed in a way that Python does not know."""


@contextmanager
def opened(path: Path, compression: str) -> Iterator[IO[bytes]]:
    """The file's content, unpacked. DataError if it cannot be."""
    try:
        if compression == "zip":
            with zipfile.ZipFile(path) as archive, archive.open(_only(path, archive)) as stream:
                yield stream
        else:
            opener: Any = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}.get(compression, open)
            with opener(path, "rb") as stream:
                yield stream
    except BROKEN as error:
        raise DataError(f"{path}: rule readable: {error}") from error


def compression_of(path: Path) -> str:
    """By its first bytes; DataError if it is no file, or one of another kind."""
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: rule readable: {short(error)}") from error
    if not regular:
        raise DataError(f"{path}: is no regular file, and it is read more than once; save it in one")
    with opened(path, "") as stream:
        start = stream.read(16)
    for magic, why in NO_CSV.items():
        if start.startswith(magic):
            raise DataError(f"{path}: {why}")
    compression = next((name for magic, name in PACKED.items() if start.startswith(magic)), "")
    with opened(path, compression) as stream:
        if stream.read(TAR_AT + len(TAR)).endswith(TAR):
            raise DataError(f"{path}: is a tar archive; unpack it first")
    return compression


def _only(path: Path, archive: zipfile.ZipFile) -> str:
    """The one file in it, beside folders and what macOS adds."""
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if len(names) != 1:
        raise DataError(f"{path}: holds {len(names)} files; give one CSV file (of a spreadsheet: save it as CSV)")
    return names[0]
