"""Optimizer groups, schedules, and the search for a learning rate."""
