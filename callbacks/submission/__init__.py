"""Competition submission: predictions in the form of a sample submission."""

from callbacks.submission.submission import Submission, fill_submission, read_submission

__all__ = ["Submission", "fill_submission", "read_submission"]
