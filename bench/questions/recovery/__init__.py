"""What becomes of a run that is broken on purpose, and what people do about it."""
