"""Register the synthetic flows, and the training flow whose tasks run in a pool of processes."""

from pathlib import Path

from prefect import Flow, deploy, flow

from core.graphs import FAN_OUT, chains


def from_here(entrypoint: str) -> Flow:
    return flow.from_source(source=str(Path(__file__).parent), entrypoint=entrypoint)


if __name__ == "__main__":
    chain = from_here("synthetic.py:chain")
    deploy(
        *(chain.to_deployment(name=one.name, parameters={"n": len(one.steps)}) for one in chains()),
        from_here("synthetic.py:fan_out").to_deployment(name=FAN_OUT),
        from_here("training_processes.py:training_processes").to_deployment(name="training-processes"),
        work_pool_name="local",
    )
