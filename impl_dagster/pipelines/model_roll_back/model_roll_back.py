"""Make the last good model current again."""

import dagster as dg

from core.declaration import deployed
from core.pipelines.model_roll_back import steps

ROLL_BACK = deployed("model_roll_back")
RETRY = ROLL_BACK.step("roll_back").retry


class Run(dg.ConfigurableResource):
    """What a run is given at launch: the path of its configuration file."""

    config: str


@dg.op(retry_policy=dg.RetryPolicy(max_retries=RETRY.retries, delay=RETRY.delay_s), pool=ROLL_BACK.shared_limit)
def roll_back(run: Run) -> dict:
    return steps.roll_back(run.config)


@dg.job
def model_roll_back() -> None:
    roll_back()


defs = dg.Definitions(jobs=[model_roll_back], resources={"run": Run.configure_at_launch()})
