"""Conducts runs: over an engine, as a plain loop, and broken on purpose."""
