"""`lightning_cli prepare check`: find what is wrong with a dataset before training."""
