"""What a run of the daily pipeline is told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta


class Days(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The path is absolute."""

    data: Annotated[Path, Meta(description="CSV file with the rows of all days")]
    time: Annotated[str, Meta(description="the column with the time of each row, ISO 8601")] = "time_utc"
