"""MLflow runs: the logger, what it records, and how runs and checkpoints are found and read."""
