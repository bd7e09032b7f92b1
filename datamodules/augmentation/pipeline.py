"""Augmentation of one training image; what is drawn depends only on a seed."""

from collections.abc import Sequence

import albumentations as A
import numpy as np

from datamodules.augmentation.load import Transform, load_augmentation
from datamodules.sources.resizing import resize


class Augmentation:
    """A pipeline of transforms whose random draws are a function of the seed of each call.

    Args:
        transforms: albumentations, applied one after another, or the name of a preset, or a YAML
            file with a list of them; an empty list leaves images unchanged.
    """

    def __init__(self, transforms: Sequence[Transform] | str) -> None:
        if isinstance(transforms, str):
            transforms = load_augmentation(transforms)
        self.pipeline = A.Compose(list(transforms)) if transforms else None

    def __bool__(self) -> bool:
        """Whether it does anything."""
        return self.pipeline is not None

    def __call__(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Augment an image, uint8 (H, W, C); the result has the same size."""
        if self.pipeline is None:
            return image
        self.pipeline.set_random_seed(seed)
        # A transform may crop, but a batch needs images of one size.
        augmented = self.pipeline(image=image)["image"]
        if augmented.dtype != np.uint8:
            raise ValueError(
                f"The augmentation makes uint8 images {augmented.dtype}. Leave out transforms such "
                "as Normalize and ToFloat: networks normalise their input themselves."
            )
        return resize(augmented, *image.shape[:2])
