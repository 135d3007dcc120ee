"""What is done in each part of a session: the bridge from the plan to the measures."""

from __future__ import annotations

from collections.abc import Callable

from bench.plan.budgets import Part
from bench.questions.parts import deep, plain, recovery, synthetic
from bench.questions.parts.bound import Bound
from bench.questions.parts.plain import again

__all__ = ["MEASURES", "Bound", "again"]

MEASURES: dict[Part, Callable[[Bound], None]] = {
    Part.CODE: plain.code_part,
    Part.INSTRUMENT: plain.instrument,
    Part.MICRO: plain.micro_part,
    Part.INLINE: plain.inline,
    Part.ENVIRONMENT: plain.environment,
    Part.FIRST: plain.first,
    Part.SAMPLES: plain.samples,
    Part.SCALING: synthetic.scaling_part,
    Part.PUBLISHED: synthetic.published_part,
    Part.PAYLOAD: synthetic.payload_part,
    Part.CONCURRENCY: synthetic.concurrency_part,
    Part.RESOURCES: deep.resources_part,
    Part.SOAK: synthetic.soak_part,
    Part.RECOVERY: recovery.recovery_part,
    Part.DEBUGGING: deep.debugging_part,
    Part.LOCAL: plain.local,
    Part.LOCAL_SCALING: synthetic.local_scaling_part,
}
