"""Register the flow that rolls back."""

from pathlib import Path

from prefect import flow

if __name__ == "__main__":
    flow.from_source(source=str(Path(__file__).parent), entrypoint="model_roll_back.py:model_roll_back").deploy(
        name="model_roll_back", work_pool_name="local"
    )
