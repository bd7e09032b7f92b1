"""`lightning_cli prepare`: commands that prepare images for training."""
