"""Checks of images that the processes of a run share: each looks at its part."""

from typing import Any

import numpy as np
import torch.distributed as dist

from datamodules.sources.decode import GOOD, Check
from datamodules.sources.source import ImageSource


def shared_checks(source: ImageSource, title: str) -> list[Check]:
    """What is wrong with each image of a source; the same in every process.

    Args:
        source: The images, the same in every process.
        title: Of the progress bar.
    """
    if not (dist.is_available() and dist.is_initialized()):
        return source.checks(title) or [GOOD] * len(source)
    processes = dist.get_world_size()
    mine = np.arange(dist.get_rank(), len(source), processes)
    found = source.subset(mine).checks(title) or []
    odd = [(int(mine[i]), check) for i, check in enumerate(found) if check != GOOD]
    of_all: list[Any] = [None] * processes
    dist.all_gather_object(of_all, odd)
    checks = [GOOD] * len(source)
    for index, check in (pair for part in of_all for pair in part):
        checks[index] = check
    return checks
