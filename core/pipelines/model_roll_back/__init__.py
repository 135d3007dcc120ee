"""Make the last good model current again."""
