"""Corruptions: noise, blur, weather and digital damage of an image, at five strengths."""

import math
import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

STRENGTHS = (1, 2, 3, 4, 5)
SMALL, LARGE = 32, 224  # sides of the images of CIFAR-10-C and ImageNet-C, in pixels
FINE = 128  # shorter images are enlarged for blurs of less than a pixel
Five = tuple[float, float, float, float, float]


class Corruption(NamedTuple):
    """A kind of corruption.

    Attributes:
        family: `noise`, `blur`, `weather` or `digital`.
        small: Its parameter at each strength for images of 32 pixels.
        large: The same for images of 224 pixels.
        make: Maps the parameter, the image and its enlargement to a transform of albumentations.
    """

    family: str
    small: Five
    large: Five
    make: Callable[[Any, float, np.ndarray, int], Any]


def corrupt(image: np.ndarray, name: str, strength: int, seed: int) -> np.ndarray:
    """Corrupt an image (Hendrycks and Dietterich, 2019).

    A parameter is that of the paper's CIFAR-10-C at 32 pixels and of ImageNet-C at 224; between
    them it follows the logarithm of the shorter side, beyond them it stays. The random numbers of
    an image are the same at every strength.

    Args:
        image: uint8, (H, W, 1) or (H, W, 3).
        name: A name in `CORRUPTIONS`.
        strength: 1 to 5.
        seed: Seed of the random numbers.

    Returns:
        The corrupted image, of the same type and shape.
    """
    import albumentations  # takes a second to import
    import cv2

    kind, side = CORRUPTIONS[name], min(image.shape[:2])
    factor = 4 if name in ("defocus_blur", "motion_blur") and side < FINE else 1
    value = parameter(kind, strength, side)
    colour = np.ascontiguousarray(np.broadcast_to(image, (*image.shape[:2], 3)))
    colour = colour.repeat(factor, axis=0).repeat(factor, axis=1)
    chain = albumentations.Compose([kind.make(albumentations, value, colour, factor)])
    chain.set_random_seed(zlib.crc32(f"{seed} {name}".encode()))
    corrupted = chain(image=colour)["image"]
    if factor > 1:
        corrupted = cv2.resize(corrupted, image.shape[1::-1], interpolation=cv2.INTER_AREA)
    if image.shape[2] == 1:
        corrupted = corrupted.mean(axis=2, keepdims=True).round().astype(np.uint8)
    return corrupted


def parameter(kind: Corruption, strength: int, side: int) -> float:
    """The parameter of a corruption for images whose shorter side has so many pixels."""
    share = math.log(side / SMALL) / math.log(LARGE / SMALL)
    low, high = kind.small[strength - 1], kind.large[strength - 1]
    return low + (high - low) * min(max(share, 0.0), 1.0)


def _contrast(a: Any, value: float, image: np.ndarray, factor: int) -> Any:
    # That of albumentations is about black; this is about the mean, as in the paper.
    shift = (1 - value) * float(image.mean()) / 255
    return a.RandomBrightnessContrast((shift, shift), (value - 1, value - 1), p=1)


def _elastic(a: Any, value: float, image: np.ndarray, factor: int) -> Any:
    sigma = max(1.0, 0.05 * min(image.shape[:2]))
    # Blurred noise of unit variance has the standard deviation 1 / (2 sqrt(pi) sigma).
    alpha = value * min(image.shape[:2]) * 2 * math.sqrt(math.pi) * sigma
    return a.ElasticTransform(alpha, sigma, border_mode=4, p=1)


def _motion(a: Any, value: float, image: np.ndarray, factor: int) -> Any:
    length = max(3, 2 * round(value * factor / 2) + 1)
    return a.MotionBlur((length, length), allow_shifted=False, direction_range=(0, 0), p=1)


def _defocus(a: Any, value: float, image: np.ndarray, factor: int) -> Any:
    radius = max(1, round(value * factor))
    return a.Defocus((radius, radius), (0.5, 0.5), p=1)


def _spatter(a: Any, value: float, image: np.ndarray, factor: int) -> Any:
    cutoff = (value, value)
    return a.Spatter(gauss_sigma=(1.5, 1.5), cutout_threshold=cutoff, mode="mud", p=1)


def _pixelate(a: Any, value: float, image: np.ndarray, factor: int) -> Any:
    return a.Downscale((value, value), {"downscale": 3, "upscale": 0}, p=1)  # area, nearest


def _glass(a: Any, value: float, image: np.ndarray, factor: int) -> Any:
    return a.GlassBlur(value, max_delta=max(1, round(2 * value)), iterations=2, p=1)


CORRUPTIONS: dict[str, Corruption] = {
    "gaussian_noise": Corruption(
        "noise",
        (0.04, 0.06, 0.08, 0.09, 0.10),
        (0.08, 0.12, 0.18, 0.26, 0.38),
        lambda a, v, i, f: a.GaussNoise((v, v), p=1),
    ),
    "shot_noise": Corruption(
        "noise",
        (0.002, 0.004, 0.01, 0.0133, 0.02),
        (0.0167, 0.04, 0.083, 0.2, 0.333),
        lambda a, v, i, f: a.ShotNoise((v, v), p=1),
    ),
    "impulse_noise": Corruption(
        "noise",
        (0.01, 0.02, 0.03, 0.05, 0.07),
        (0.03, 0.06, 0.09, 0.17, 0.27),
        lambda a, v, i, f: a.SaltAndPepper((v, v), p=1),
    ),
    "defocus_blur": Corruption("blur", (0.5, 0.75, 1, 1.25, 1.5), (3, 4, 6, 8, 10), _defocus),
    "glass_blur": Corruption("blur", (0.3, 0.4, 0.5, 0.6, 0.7), (0.7, 0.9, 1, 1.1, 1.5), _glass),
    "motion_blur": Corruption("blur", (1.5, 2, 3, 4, 5), (6, 10, 16, 22, 28), _motion),
    "zoom_blur": Corruption(
        "blur",
        (1.06, 1.11, 1.16, 1.21, 1.26),
        (1.11, 1.16, 1.21, 1.26, 1.31),
        lambda a, v, i, f: a.ZoomBlur((v, v), (0.02, 0.02), p=1),
    ),
    "snow": Corruption(
        "weather",
        (0.1, 0.2, 0.3, 0.4, 0.5),
        (0.2, 0.3, 0.4, 0.5, 0.6),
        lambda a, v, i, f: a.RandomSnow(snow_point_range=(v, v), method="bleach", p=1),
    ),
    "spatter": Corruption(
        "weather", (0.72, 0.7, 0.68, 0.66, 0.64), (0.7, 0.68, 0.66, 0.63, 0.6), _spatter
    ),
    "fog": Corruption(
        "weather",
        (0.1, 0.2, 0.3, 0.4, 0.5),
        (0.3, 0.4, 0.5, 0.6, 0.7),
        # A fractal cloud, as in the paper; RandomFog takes a tenth of a second.
        lambda a, v, i, f: a.PlasmaBrightnessContrast((v, v), (-v, -v), roughness=0.5, p=1),
    ),
    "brightness": Corruption(
        "weather",
        (0.05, 0.1, 0.15, 0.2, 0.3),
        (0.1, 0.2, 0.3, 0.4, 0.5),
        lambda a, v, i, f: a.RandomBrightnessContrast((v, v), (0, 0), p=1),
    ),
    "contrast": Corruption(
        "digital", (0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05), _contrast
    ),
    "elastic": Corruption(
        "digital", (0.01, 0.015, 0.02, 0.03, 0.04), (0.01, 0.015, 0.02, 0.03, 0.04), _elastic
    ),
    "pixelate": Corruption(
        "digital", (0.95, 0.9, 0.85, 0.75, 0.65), (0.6, 0.5, 0.4, 0.3, 0.25), _pixelate
    ),
    "jpeg": Corruption(
        "digital",
        (80, 65, 58, 50, 40),
        (25, 18, 15, 10, 7),
        lambda a, v, i, f: a.ImageCompression("jpeg", (round(v), round(v)), p=1),
    ),
}
