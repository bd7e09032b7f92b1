"""What a run writes down, and where."""
