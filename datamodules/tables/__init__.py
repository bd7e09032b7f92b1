"""CSV files: their rows, labels and splits."""
