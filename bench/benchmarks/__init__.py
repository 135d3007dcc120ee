"""Measurements of the project's own parts by pytest-benchmark. Run by the questions that ask for them, not by tests."""
