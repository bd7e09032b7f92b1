"""User errors: reported in a few lines, with what is possible instead."""
