"""Command line: LightningCLI's subclass, its parser and options, and messages for user errors."""
