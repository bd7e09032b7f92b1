"""Augmentation of one training image; what is drawn depends only on a seed."""

import random
from collections.abc import Sequence
from copy import deepcopy

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
        # Copies: another pipeline with the same transforms gives them other generators.
        self.pipeline = A.Compose(deepcopy(list(transforms))) if transforms else None
        self._numpy, self._python = np.random.Generator(np.random.Philox()), random.Random()
        if self.pipeline is not None:
            self.pipeline.set_random_state(self._numpy, self._python)

    def __bool__(self) -> bool:
        """Whether it does anything."""
        return self.pipeline is not None

    def __call__(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Augment an image, uint8 (H, W, C); the result has the same size."""
        if self.pipeline is None:
            return image
        self._seed(seed)
        # A transform may crop, but a batch needs images of one size.
        augmented = self.pipeline(image=image)["image"]
        if augmented.dtype != np.uint8:
            raise ValueError(
                f"The augmentation makes uint8 images {augmented.dtype}. Leave out transforms such "
                "as Normalize and ToFloat: networks normalise their input themselves."
            )
        return resize(augmented, *image.shape[:2])

    def _seed(self, seed: int) -> None:
        """Seed the two generators that all transforms share.

        `set_random_seed` would build a new pair for each transform, in 10 µs, and give all of them
        the same seed: two transforms with p = 0.5 would always be applied together.
        """
        self._python.seed(seed)
        empty = np.zeros(4, np.uint64)
        self._numpy.bit_generator.state = {
            "bit_generator": "Philox",
            "state": {"counter": empty, "key": np.array([seed, 0], np.uint64)},
            "buffer": empty,
            "buffer_pos": len(empty),  # draws anew
            "has_uint32": 0,
            "uinteger": 0,
        }
