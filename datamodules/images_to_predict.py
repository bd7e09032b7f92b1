"""Images to predict: the files below a folder, without labels."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from datamodules.complaints import Complain, Complaint, Item, Kind
from datamodules.images_of_split import images_of
from datamodules.sources.files import FileReader
from datamodules.sources.resizing import Resize
from datamodules.sources.source import UNLABELLED, ImageSource


def images_to_predict(
    folder: Path,
    image_size: int,
    num_channels: int,
    resize: Resize,
    allow_outside: bool,
    complain: Complain,
) -> ImageSource:
    """The images below a folder, of which none has a label.

    Args:
        folder: A folder.
        image_size: Side in pixels of the squares.
        num_channels: 3 for RGB, 1 for grey.
        resize: How they become squares.
        allow_outside: Whether links may lead out of the folder.
        complain: Gets what is left out.

    Raises:
        ValueError: If there is no image.
    """
    left_out: dict[Kind, list[Item]] = defaultdict(list)
    names = list(images_of(folder, folder, [], left_out, allow_outside, is_flat=True))
    for kind, items in left_out.items():
        complain(Complaint(kind, tuple(items), "", is_error=False))
    if not names:
        raise ValueError(f"{folder} has no image to predict.")
    labels = np.full(len(names), UNLABELLED, np.int64)
    return ImageSource(FileReader(folder, names, image_size, num_channels, resize), labels, names)
