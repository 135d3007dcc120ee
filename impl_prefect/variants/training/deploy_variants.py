"""Register the training flow whose tasks run in a pool of processes."""

from pathlib import Path

from prefect import flow

if __name__ == "__main__":
    flow.from_source(source=str(Path(__file__).parent), entrypoint="training_processes.py:training_processes").deploy(
        name="training-processes", work_pool_name="local"
    )
