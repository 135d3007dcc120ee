"""What is asked of an engine, the records of a result, errors, and the registry of engines."""
