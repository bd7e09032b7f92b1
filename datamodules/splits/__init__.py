"""Splits: which image is in which, and the order of an epoch."""
