"""Explanations, `lightning_cli explain`: pictures of a trained network on images of the user."""
