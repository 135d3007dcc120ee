"""Whatever has a process: environments, databases, the guardian, and the bring-up of an engine."""
