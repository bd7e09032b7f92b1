"""Colours of image files in sRGB, with Pillow only, as in the training."""

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms

SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}  # of colour profiles
SAME = 2  # levels by which profiles of sRGB differ


def in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The image in sRGB; as it is if it has no profile, or one that does not fit it.

    Args:
        image: Of mode L, RGB, CMYK or LAB.
        profile: Its colour profile; empty if it has none.
    """
    is_lab = image.mode == "LAB"  # has the same meaning whatever the profile says
    transform = (
        srgb_transform(b"" if is_lab else profile, image.mode) if profile or is_lab else None
    )
    return image if transform is None else ImageCms.applyTransform(image, transform) or image


@lru_cache(64)
def srgb_transform(profile: bytes, mode: str) -> Any:
    """The transform to sRGB; None if a viewer does not use the profile either, or it is sRGB.

    Args:
        profile: A colour profile; empty for CIELab.
        mode: Pillow's mode of the images.
    """
    try:
        lab: Any = ImageCms.createProfile("LAB")
        source: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile) if profile else lab)
        if SPACES.get(source.profile.xcolor_space) != mode:
            return None
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        if mode not in ("RGB", "L"):
            return transform
        levels = np.arange(0, 256, 51, dtype=np.uint8)
        grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
        greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
        before = Image.fromarray(np.concatenate([grid, greys])[None]).convert(mode)
        after: Any = ImageCms.applyTransform(before, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a damaged profile
        return None
    changes = np.asarray(after).astype(int) - np.asarray(before.convert("RGB"))
    return transform if abs(changes).max() > SAME else None
