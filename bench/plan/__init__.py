"""What is to be measured, in which order and at what cost: data."""
