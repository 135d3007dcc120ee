"""The same tasks in another isolation."""
