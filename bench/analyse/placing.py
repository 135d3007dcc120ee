"""What a session that failed before it could say what it is gives the arm that it is of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from bench.contract.records import FAILED, Sample

UNKNOWN_ISOLATION = "none"


def placed(samples: Iterable[Sample]) -> list[Sample]:
    """The samples, in their order; failures without version or isolation with those of their arm, if it has but one.

    A session that does not come up cannot tell either: its failure would be a row of an arm that there is not.
    """
    every = list(samples)
    versions: dict[tuple[str, ...], set[str]] = defaultdict(set)
    isolations: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for one in every:
        if one.version:
            versions[_arm(one)].add(one.version)
        if one.isolation != UNKNOWN_ISOLATION and one.value is not None:
            isolations[*_arm(one), one.metric].add(one.isolation)
    return [_placed(one, versions[_arm(one)], isolations[*_arm(one), one.metric]) for one in every]


def _arm(one: Sample) -> tuple[str, str, str]:
    return one.engine, one.track, one.mode


def _placed(one: Sample, versions: set[str], isolations: set[str]) -> Sample:
    if one.value is not None or not one.note.startswith(FAILED):
        return one
    version = next(iter(versions)) if not one.version and len(versions) == 1 else one.version
    known = one.isolation != UNKNOWN_ISOLATION or len(isolations) != 1
    return msgspec.structs.replace(one, version=version, isolation=one.isolation if known else next(iter(isolations)))
