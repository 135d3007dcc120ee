"""Turns a finished result folder into one HTML file."""
