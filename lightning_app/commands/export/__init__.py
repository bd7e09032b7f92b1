"""Export, `lightning_cli export`: a trained network as files that run without this project."""
