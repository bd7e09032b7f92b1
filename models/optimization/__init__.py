"""Optimization: parameter groups, learning-rate schedules and the learning-rate range test."""
