"""What is said when the data are not where they should be."""


class MissingDataError(ValueError):
    """There is no such file or folder; the text says how to name another."""
