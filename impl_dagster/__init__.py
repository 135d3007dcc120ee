"""The dagster adapter and the pipelines that it deploys."""
