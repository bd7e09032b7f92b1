"""CSV files: manifests, pixels, labels."""
