"""Shortcuts in a dataset: what tells its classes apart and is not their subject."""
