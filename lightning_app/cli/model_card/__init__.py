"""Model card of a run: Markdown with the metadata block that model hubs read."""
