"""Train a classifier, and deploy it if it is good enough."""
