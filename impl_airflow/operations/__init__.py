"""Pipelines that people run beside the training pipeline: to roll back, and to run past days."""
