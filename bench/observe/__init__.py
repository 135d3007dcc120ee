"""What is seen of runs and of the machine, and where it is kept."""
