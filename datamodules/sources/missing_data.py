"""Error for a dataset that is not where it should be."""


class MissingDataError(ValueError):
    """A file or folder of a dataset is missing; the message tells how to name another."""
