"""Image sources: arrays, files and shards, with labels."""
