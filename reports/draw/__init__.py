"""Charts, and other drawings."""
