"""What happens inside a step, for any pipeline."""
