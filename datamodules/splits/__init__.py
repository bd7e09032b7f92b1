"""Which image is in which split, and the order of an epoch."""
