"""Likely label errors, `lightning_cli suspects`: by leave one out or out-of-fold predictions."""
