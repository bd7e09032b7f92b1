"""Comparison of runs, `lightning_cli compare`: settings, scores, and predictions image by image."""
