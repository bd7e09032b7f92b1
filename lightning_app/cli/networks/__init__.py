"""Networks of checkpoints: built, and made ready to be exported."""
