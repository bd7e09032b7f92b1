"""Images and what reads them: arrays, files, shards."""
