"""The machine-learning steps that every engine conducts. Knows no engine."""
