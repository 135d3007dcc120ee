"""The steps of a chain and of a fan-out, which have no work of their own."""

from core.pipelines.like_steps.gather import gather
from core.pipelines.like_steps.plan import plan
from core.pipelines.like_steps.work import work

__all__ = ["gather", "plan", "work"]
