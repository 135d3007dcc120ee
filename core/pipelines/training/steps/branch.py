"""branch: is the model good enough to deploy?"""

from __future__ import annotations

import json

from core.instrument.artifacts import Reference, check
from core.instrument.step import Attempt, step
from core.pipelines.training.settings import Training


@step
def branch(attempt: Attempt, metrics: Reference) -> str:
    """Return the next step's name: `deploy` if accuracy reaches the threshold, else `notify`."""
    accuracy = json.loads(check(metrics).read_text())["accuracy"]
    return "deploy" if accuracy >= attempt.settings(Training).threshold else "notify"
