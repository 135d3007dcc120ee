"""File the rows of each day."""
