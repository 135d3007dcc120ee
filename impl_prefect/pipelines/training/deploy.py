"""Register the flows with the server: run by a process worker, straight from this folder."""

from pathlib import Path

from prefect import flow

if __name__ == "__main__":
    flow.from_source(source=str(Path(__file__).parent), entrypoint="training.py:training").deploy(
        name="training", work_pool_name="local"
    )
