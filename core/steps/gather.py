"""gather: join what the steps of a fan-out made."""

from __future__ import annotations

from core.instrument.errors import ArtifactError
from core.instrument.step import Attempt, step
from core.parcels import Parcel, pack, unpack


@step
def gather(attempt: Attempt, *parcels: Parcel) -> Parcel:
    """Open every parcel and return one over all, in whatever order they came; ArtifactError if one is missing."""
    if len(parcels) != attempt.config.synthetic.n:
        raise ArtifactError(f"gather: {len(parcels)} parcels instead of {attempt.config.synthetic.n}; run again")
    contents = [unpack(parcel) for parcel in parcels]
    return pack(attempt.config, "gather", str(sum(map(len, contents))), parcels)
