"""The harness: starts real engines, submits runs, breaks things on purpose, keeps every observation."""
