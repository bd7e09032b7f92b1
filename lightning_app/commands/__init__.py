"""The commands of `lightning_cli` other than LightningCLI's four: one file or folder each."""
