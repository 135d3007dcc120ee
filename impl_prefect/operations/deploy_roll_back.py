"""Register the flow that rolls back."""

from pathlib import Path

from prefect import flow

if __name__ == "__main__":
    flow.from_source(source=str(Path(__file__).parent), entrypoint="roll_back.py:roll_back").deploy(
        name="roll_back", work_pool_name="local"
    )
