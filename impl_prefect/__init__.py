"""The prefect adapter and the pipelines that it deploys."""
