"""Find unreadable images before training does."""

from typing import Literal

import numpy as np
from lightning.pytorch.utilities import rank_zero_warn

from datamodules.sources.cache import for_each
from datamodules.sources.decode import UnreadableImageError
from datamodules.sources.source import ImageSource

SHOWN = 5  # complaints that a message lists


def readable(source: ImageSource, on_error: Literal["raise", "skip"]) -> ImageSource:
    """The images of a source without those that cannot be read, as far as a quick look can tell.

    Args:
        source: The images.
        on_error: `raise` does not allow any, `skip` leaves them out with a warning.

    Raises:
        UnreadableImageError: If there are some and `on_error` is `raise`, or nothing else is left.
    """
    complaints = for_each(range(len(source)), source.complaint, "looking at the files")
    bad = [complaint for complaint in complaints if complaint]
    if not bad:
        return source
    more = f"\n  and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    text = f"{len(bad)} of {len(source)} images cannot be read:\n  " + "\n  ".join(bad[:SHOWN])
    if on_error == "raise" or len(bad) == len(source):
        raise UnreadableImageError(
            f"{text}{more}\nMend or remove them, or leave them out with "
            "--data.options.on_error skip."
        )
    rank_zero_warn(f"{text}{more}\nThey are left out.")
    return source.subset(np.flatnonzero([complaint is None for complaint in complaints]))
