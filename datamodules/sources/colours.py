"""Colours: images with a colour profile (ICC) look as in a viewer, which is sRGB."""

import io
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms

SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}  # modes of Pillow
SAME = 2  # levels: sRGB itself, as many programs write it, differs by rounding
PROFILES = 64  # that are kept; those of one dataset are few


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The image in sRGB; as it is if it has no profile, or one that does not fit it.

    Args:
        image: Of mode L, RGB, CMYK or LAB.
        profile: Its colour profile, if it has one.

    Returns:
        The image, of mode RGB if its colours were converted.
    """
    if image.mode == "LAB":  # has the same meaning whatever the profile says
        return _converted(image, _transform(b"", "LAB"))
    return _converted(image, _transform(profile, image.mode)) if profile else image


def pixels_in_srgb(pixels: np.ndarray, profile: bytes) -> np.ndarray:
    """As `in_srgb`, for grey or RGB pixels, (H, W, 1) or (H, W, 3); sRGB costs nothing."""
    is_grey = pixels.shape[2] == 1
    transform = _transform(profile, "L" if is_grey else "RGB")
    if transform is None:
        return pixels
    return np.asarray(_converted(Image.fromarray(pixels[..., 0] if is_grey else pixels), transform))


def is_needed(profile: bytes, mode: str = "RGB") -> bool:
    """Whether a profile changes the colours of RGB images, or the levels of grey ones (L)."""
    return bool(profile) and _transform(profile, mode) is not None


def _converted(image: Image.Image, transform: Any) -> Image.Image:
    if transform is None:
        return image
    converted = ImageCms.applyTransform(image, transform)
    return image if converted is None else converted


@lru_cache(PROFILES)
def _transform(profile: bytes, mode: str) -> Any:
    """The transform to sRGB; None if a viewer does not use the profile either, or it is sRGB."""
    srgb = ImageCms.createProfile("sRGB")
    try:
        source = (
            ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if profile
            else ImageCms.createProfile("LAB")
        )
        space = "LAB" if not profile else SPACES.get(source.profile.xcolor_space, "")  # pyright: ignore[reportAttributeAccessIssue]
        if space != mode:
            return None
        transform = ImageCms.buildTransform(source, srgb, mode, "RGB")
        changed = ImageCms.applyTransform(_samples(mode), transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a damaged profile
        return None
    if mode not in ("RGB", "L") or changed is None:
        return transform
    before = np.asarray(_samples(mode).convert("RGB")).astype(int)
    return transform if abs(np.asarray(changed) - before).max() > SAME else None


def _samples(mode: str) -> Image.Image:
    """All colours in steps of 51 levels, and all greys."""
    levels = np.arange(0, 256, 51, dtype=np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(-1, 3)
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    colours = Image.fromarray(np.concatenate([grid, greys])[None])
    return (
        colours
        if mode == "RGB"
        else Image.new(mode, (8, 8))
        if mode == "LAB"
        else (colours.convert(mode))
    )
