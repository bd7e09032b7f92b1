"""The command `lightning_cli runs`: the state of each run, and how to go on with it."""
