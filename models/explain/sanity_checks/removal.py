"""Deletion and insertion (Petsiuk et al., 2018, RISE): do the pixels that a map marks matter?"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

from models.full_precision import full_precision

BLUR = 8  # side of an image relative to the standard deviation of its blur


def deletion_curve(
    model: nn.Module,
    images: Tensor,
    maps: Tensor,
    classes: Tensor,
    baseline: Tensor | None = None,
    num_steps: int = 20,
) -> Tensor:
    """Probability of a class while pixels are removed, the most important ones first.

    The better the map, the sooner the probability falls.

    Args:
        model: Maps images to logits; in eval mode.
        images: (N, C, H, W) in [0, 1].
        maps: Importance of each pixel, (N, H, W), on any scale.
        classes: The class of each image, (N,).
        baseline: Replacement of the pixels, (N, C, H, W); None for the mean colour.
        num_steps: Number of steps from no pixel to all.

    Returns:
        Probabilities, (N, num_steps + 1); lower is better.
    """
    baseline = mean_color(images) if baseline is None else baseline
    return replacement_curve(model, images, baseline, maps, classes, num_steps)


def insertion_curve(
    model: nn.Module,
    images: Tensor,
    maps: Tensor,
    classes: Tensor,
    baseline: Tensor | None = None,
    num_steps: int = 20,
) -> Tensor:
    """Probability of a class while pixels are inserted, the most important ones first.

    Like `deletion_curve`, but from the baseline, by default the blurred image, to the image. Higher
    is better.
    """
    baseline = blurred(images) if baseline is None else baseline
    return replacement_curve(model, baseline, images, maps, classes, num_steps)


@torch.no_grad()
def replacement_curve(
    model: nn.Module,
    start: Tensor,
    end: Tensor,
    maps: Tensor,
    classes: Tensor,
    num_steps: int = 20,
    ends: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Probability of a class while pixels are replaced, the most important ones first.

    Pixels of equal importance are replaced in a random order, the same in each call.

    Args:
        model: Maps images to logits; in eval mode.
        start: Images before the first step, (N, C, H, W).
        end: Images after the last step, (N, C, H, W).
        maps: Importance of each pixel, (N, H, W).
        classes: (N,).
        num_steps: Number of steps, each of equally many pixels.
        ends: Probabilities of the class before the first step and after the last one, (N,) each, if
            they are known.

    Returns:
        Probabilities, (N, num_steps + 1).

    Raises:
        ValueError: If the maps do not have the size of the images, or `num_steps` is below 1.
    """
    if maps.shape != (len(start), *start.shape[2:]):
        raise ValueError(
            f"Expected a map for each of the images {tuple(start.shape)}, got {tuple(maps.shape)}."
        )
    if num_steps < 1:
        raise ValueError(f"Expected num_steps to be 1 or more, got {num_steps}.")
    places, num_pixels = _places(maps), maps[0].numel()
    probabilities = []
    for step in range(num_steps + 1) if ends is None else range(1, num_steps):
        replaced = places < step * num_pixels // num_steps
        logits = model(torch.where(replaced, end, start))
        probabilities.append(logits.float().softmax(dim=1).gather(1, classes[:, None])[:, 0])
    if ends is not None:
        probabilities = [ends[0], *probabilities, ends[1]]
    return torch.stack(probabilities, dim=1)


def area(curves: Tensor) -> Tensor:
    """Area under each curve, (N, num_steps + 1) to (N,), in [0, 1]."""
    return torch.trapezoid(curves, dx=1 / (curves.shape[1] - 1))


def random_maps(images: Tensor, seed: int = 0) -> Tensor:
    """Random maps, (N, H, W), as a baseline for methods."""
    shape = (len(images), *images.shape[2:])
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)).to(images.device)


def moved_maps(maps: Tensor, seed: int = 0) -> Tensor:
    """Maps (N, H, W), each moved by a random distance, at least a quarter of each side.

    What leaves the image comes in on the other side. So they mark as many pixels, in as smooth
    regions, but other ones: what a map should be better than. Single pixels in a random order are
    no fair comparison, since scattered holes confuse a network sooner than one large hole does.
    """
    generator = torch.Generator().manual_seed(seed)

    def distance(side: int) -> int:
        low, high = max(side // 4, 1), max(side - side // 4, 2)
        return int(torch.randint(low, high, (), generator=generator))

    height, width = maps.shape[1:]
    moved = [map_.roll((distance(height), distance(width)), (0, 1)) for map_ in maps]
    return torch.stack(moved)


def mean_color(images: Tensor) -> Tensor:
    """Images that have the mean colour everywhere, (N, C, H, W)."""
    return images.mean(dim=(2, 3), keepdim=True).expand_as(images)


@full_precision
def blurred(images: Tensor) -> Tensor:
    """Images under a Gaussian blur that only leaves light and dark regions."""
    radius = [max(2 * side // BLUR, 1) for side in images.shape[2:]]
    for axis, size in enumerate(radius):
        steps = torch.arange(-size, size + 1, device=images.device, dtype=images.dtype)
        weights = torch.exp(-2 * (steps / size) ** 2)  # the radius is two standard deviations
        shape = [1, 1, 1, 1]
        shape[2 + axis] = -1
        kernel = (weights / weights.sum()).view(shape).expand(images.shape[1], *[-1] * 3)
        margins = [0, 0, size, size] if axis == 0 else [size, size, 0, 0]
        padded = pad(images, margins, mode="replicate")
        images = conv2d(padded, kernel, groups=images.shape[1])
    return images


def _places(maps: Tensor) -> Tensor:
    """Rank of each pixel by importance, (N, 1, H, W), 0 for the most important one."""
    pixels = maps.flatten(1)
    shuffle = torch.randperm(pixels.shape[1], generator=torch.Generator().manual_seed(0))
    shuffle = shuffle.to(maps.device)
    order = shuffle[pixels[:, shuffle].argsort(dim=1, descending=True, stable=True)]
    return order.argsort(dim=1).view(len(maps), 1, *maps.shape[1:])
