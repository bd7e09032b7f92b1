"""Checks of images that the processes of a run share: each looks at its part."""

from typing import Any

import numpy as np
import torch.distributed as dist

from datamodules.sources.decode import GOOD, Check
from datamodules.sources.file_ends import SOUND_ENDS
from datamodules.sources.source import ImageSource


def shared_checks(source: ImageSource, title: str, quick: bool = False) -> list[Check]:
    """What is wrong with each image of a source; the same in every process.

    Args:
        source: The images, the same in every process.
        title: Of the progress bar.
        quick: See `ImageReader.checks`.

    Returns:
        All good images are of one kind with several processes: `SOUND_ENDS` if one of them is.
    """
    if not (dist.is_available() and dist.is_initialized()):
        return source.checks(title, quick) or [GOOD] * len(source)
    processes = dist.get_world_size()
    mine = np.arange(dist.get_rank(), len(source), processes)
    found = source.subset(mine).checks(title, quick) or []
    ends_only = any(check.ends_only for check in found)
    odd = [(int(mine[i]), check) for i, check in enumerate(found) if check.fault or check.is_dark]
    of_all: list[Any] = [None] * processes
    dist.all_gather_object(of_all, (ends_only, odd))
    checks = [SOUND_ENDS if any(ends for ends, _ in of_all) else GOOD] * len(source)
    for index, check in (pair for _, part in of_all for pair in part):
        checks[index] = check
    return checks
