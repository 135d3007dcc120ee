"""Like steps in a row."""
