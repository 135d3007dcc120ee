"""An engine without code."""
