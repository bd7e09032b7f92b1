"""`lightning_cli report`: a self-contained HTML report of a run."""
