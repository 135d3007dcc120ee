"""The adapter of a toy engine, the engine itself, and the pipelines that are deployed to it."""
