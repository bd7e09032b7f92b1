"""Runs side by side: their settings, their numbers, and what they say of the same images."""
