"""What a user of Prefect would write for the pipelines."""
