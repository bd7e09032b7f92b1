"""Images of a dataset as an exported network takes them."""

from collections.abc import Iterator

import numpy as np
from tqdm import tqdm

from datamodules import ImageDataModule
from datamodules.fixed_images import spread

BATCH = 32


def dataset_images(
    data: ImageDataModule, split: str, most: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of labelled images of a split, without augmentation, spread over the classes.

    Args:
        data: The dataset.
        split: Name of the split.
        most: The number of images, if there are more.

    Yields:
        Images, uint8 (n, C, H, W), and labels, (n,). Images that cannot be read are left out.
    """
    labels = data.sources[split].labels
    known = np.flatnonzero(labels >= 0)
    chosen = known[spread(labels[known], most)].tolist()
    bar = tqdm(total=len(chosen), desc=f"{split} images", delay=2, leave=False, disable=None)
    with bar:
        for start in range(0, len(chosen), BATCH):
            part = chosen[start : start + BATCH]
            for images, true, _ in data.plain_batches(split, part):
                yield (images * 255).round().byte().numpy(), true.numpy()
            bar.update(len(part))
