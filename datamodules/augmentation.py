"""What is done to training images when the configuration declares nothing."""

import albumentations as A
import cv2
import numpy as np

Transform = A.BasicTransform | A.BaseCompose


def photo_augmentation() -> list[Transform]:
    """For photographs: mirrored, moved, zoomed and turned a little, lit a little differently."""
    return [
        A.HorizontalFlip(p=0.5),
        A.Affine(
            scale=(0.9, 1.15),
            translate_percent=(-0.08, 0.08),
            rotate=(-12, 12),
            border_mode=cv2.BORDER_REFLECT_101,
            p=0.8,
        ),
        A.RandomBrightnessContrast(brightness_limit=0.15, contrast_limit=0.15, p=0.5),
    ]


def glyph_augmentation() -> list[Transform]:
    """For letters and digits, which a mirror makes another one: moved, zoomed, turned a little."""
    return [
        A.Affine(
            scale=(0.9, 1.1),
            translate_percent=(-0.08, 0.08),
            rotate=(-12, 12),
            shear=(-6, 6),
            border_mode=cv2.BORDER_REPLICATE,
            p=0.8,
        )
    ]


class Augmentation:
    """A pipeline whose draws are a function of the seed that each call is given.

    Args:
        transforms: albumentations, applied one after another; none leaves images as they are.
    """

    def __init__(self, transforms: list[Transform]) -> None:
        self.pipeline = A.Compose(transforms) if transforms else None

    def __call__(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Augment an image, uint8 (H, W, C)."""
        if self.pipeline is None:
            return image
        self.pipeline.set_random_seed(seed)
        return self.pipeline(image=image)["image"]
