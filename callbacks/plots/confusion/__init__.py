"""Confusion matrices: the matrix, the difference of two, and their layout."""
