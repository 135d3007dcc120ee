"""Flows beside the training pipeline: many like tasks, and the training tasks in another isolation."""
