"""Check for unreadable images before training."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from lightning.pytorch.utilities import rank_zero_warn

from datamodules.sources.cache import for_each
from datamodules.sources.decode import UnreadableImageError
from datamodules.sources.source import ImageSource

SHOWN = 5  # complaints that a message lists


def readable(
    sources: Mapping[str, ImageSource], on_error: Literal["raise", "skip"]
) -> dict[str, ImageSource]:
    """The images of each split without unreadable ones, as far as a quick check finds them.

    Args:
        sources: The images of each split.
        on_error: `raise` refuses unreadable images, `skip` leaves them out with a warning.

    Raises:
        UnreadableImageError: If there are some and `on_error` is `raise`, or a split has no other
            image.
    """
    complaints = {
        split: for_each(range(len(source)), source.complaint, f"checking the {split} images")
        for split, source in sources.items()
    }
    bad = [complaint for split in complaints.values() for complaint in split if complaint]
    if not bad:
        return dict(sources)
    more = f"\n  and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    total = sum(map(len, sources.values()))
    text = f"{len(bad)} of {total} images cannot be read:\n  " + "\n  ".join(bad[:SHOWN]) + more
    if on_error == "raise" or any(all(split) for split in complaints.values()):
        raise UnreadableImageError(
            f"{text}\nFix or delete them, or leave them out with --data.options.on_error skip."
        )
    rank_zero_warn(f"{text}\nThey are left out.")
    return {
        split: source.subset(np.flatnonzero([complaint is None for complaint in complaints[split]]))
        for split, source in sources.items()
    }
