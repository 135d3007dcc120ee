"""One folder a pipeline, found by its pipeline.py; beside the folders what pipelines share."""
