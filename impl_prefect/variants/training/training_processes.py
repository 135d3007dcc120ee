"""The training pipeline once more: the same tasks, submitted to a pool of processes."""

import sys

from prefect import flow
from prefect.task_runners import ProcessPoolTaskRunner
from training import branch, clean_up, cleanup, deploy, evaluate, extract, features, notify, train, validate


@flow(
    name="training",
    task_runner=ProcessPoolTaskRunner(),
    persist_result=True,
    on_failure=[clean_up],
    on_crashed=[clean_up],
)
def training_processes(config: str) -> None:
    raw = extract.submit(config).result()
    raw = validate.submit(config, raw).result()
    prepared = features.submit(config, raw).result()
    model = train.submit(config, prepared).result()
    metrics = evaluate.submit(config, prepared, model).result()
    if branch.submit(config, metrics).result() == "deploy":
        deploy.submit(config, model, metrics).result()
    else:
        notify.submit(config, metrics).result()
    cleanup.submit(config).result()


if __name__ == "__main__":
    training_processes(sys.argv[1])
