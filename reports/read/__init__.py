"""Reads a result, and finds readings in it."""
