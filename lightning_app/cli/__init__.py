"""The command line: LightningCLI's subclass, its parser and options, and its error messages."""
