"""Losses, built from the class counts of the training set."""
