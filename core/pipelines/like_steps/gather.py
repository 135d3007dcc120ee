"""gather: join what the steps of a fan-out made."""

from __future__ import annotations

from core.instrument.errors import ArtifactError
from core.instrument.step import Attempt, step
from core.pipelines.like_steps.parcels import Parcel, pack, unpack
from core.pipelines.like_steps.settings import LikeSteps


@step
def gather(attempt: Attempt, *parcels: Parcel) -> Parcel:
    """Open every parcel and return one over all, in whatever order they came; ArtifactError if one is missing."""
    expected = attempt.settings(LikeSteps).n
    if len(parcels) != expected:
        raise ArtifactError(f"gather: {len(parcels)} parcels instead of {expected}; run again")
    contents = [unpack(parcel) for parcel in parcels]
    return pack(attempt, "gather", str(sum(map(len, contents))), parcels)
