"""The command `lightning_cli promote`: the registry, and which model is its champion."""
