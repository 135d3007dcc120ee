"""Whole pages: the report, a comparison, results over time."""
