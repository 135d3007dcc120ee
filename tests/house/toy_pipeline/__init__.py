"""A small pipeline with every sort of step but a partition."""
