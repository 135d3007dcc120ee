"""What is deployed to the engine."""
