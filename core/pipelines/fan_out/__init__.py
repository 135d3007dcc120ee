"""Like steps that need not wait for each other."""
