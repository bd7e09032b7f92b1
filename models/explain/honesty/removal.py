"""Deletion and insertion (Petsiuk et al., 2018, RISE): do the pixels that a map names matter?"""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

BLUR = 8  # the side of an image in standard deviations of its blur: no shape survives


def deletion_curve(
    model: nn.Module,
    images: Tensor,
    maps: Tensor,
    classes: Tensor,
    baseline: Tensor | None = None,
    num_steps: int = 20,
) -> Tensor:
    """Remove the pixels that matter most, then the next: a good map makes the class vanish soon.

    Args:
        model: Maps images to logits; in eval mode.
        images: (N, C, H, W) in [0, 1].
        maps: How much each pixel matters, (N, H, W), of any scale.
        classes: The class that is looked at, (N,).
        baseline: What comes in the place of a pixel, (N, C, H, W); None for the mean colour.
        num_steps: Steps from no pixel to all.

    Returns:
        Probability of the class after each step, (N, num_steps + 1); smaller is better.
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
    """Uncover the pixels that matter most first: a good map makes the class appear soon.

    As `deletion_curve`, from the baseline to the image; None for the blurred image. Larger is
    better.
    """
    baseline = blurred(images) if baseline is None else baseline
    return replacement_curve(model, baseline, images, maps, classes, num_steps)


@torch.no_grad()
def replacement_curve(
    model: nn.Module, start: Tensor, end: Tensor, maps: Tensor, classes: Tensor, num_steps: int = 20
) -> Tensor:
    """Probability of a class while one image becomes another, the most important pixels first.

    Equal pixels go in an order drawn at random, the same at every call.

    Args:
        model: Maps images to logits; in eval mode.
        start: Images, (N, C, H, W).
        end: What they become, (N, C, H, W).
        maps: Importance of each pixel, (N, H, W).
        classes: (N,).
        num_steps: Steps from the one to the other, of as many pixels each.

    Returns:
        Probabilities, (N, num_steps + 1).

    Raises:
        ValueError: If the maps do not belong to the images, or there is no step.
    """
    if maps.shape != (len(start), *start.shape[2:]):
        raise ValueError(
            f"Expected a map for each of the images {tuple(start.shape)}, got {tuple(maps.shape)}."
        )
    if num_steps < 1:
        raise ValueError(f"Expected num_steps to be 1 or more, got {num_steps}.")
    places, num_pixels = _places(maps), maps[0].numel()
    probabilities = []
    for step in range(num_steps + 1):
        replaced = places < step * num_pixels // num_steps
        logits = model(torch.where(replaced, end, start))
        probabilities.append(logits.softmax(dim=1).gather(1, classes[:, None])[:, 0])
    return torch.stack(probabilities, dim=1)


def area(curves: Tensor) -> Tensor:
    """Area under each curve, (N, num_steps + 1) to (N,): its mean height, in [0, 1]."""
    return torch.trapezoid(curves, dx=1 / (curves.shape[1] - 1))


def random_maps(images: Tensor, seed: int = 0) -> Tensor:
    """Maps that know nothing, (N, H, W): what a method has to beat."""
    shape = (len(images), *images.shape[2:])
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)).to(images.device)


def mean_color(images: Tensor) -> Tensor:
    """Each image as a plane of its mean colour."""
    return images.mean(dim=(2, 3), keepdim=True).expand_as(images)


def blurred(images: Tensor) -> Tensor:
    """Images under a Gaussian blur that leaves of each no more than light and dark regions."""
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
    """Place of each pixel in the order of importance, (N, 1, H, W), 0 for the first."""
    pixels = maps.flatten(1)
    shuffle = torch.randperm(pixels.shape[1], generator=torch.Generator().manual_seed(0))
    shuffle = shuffle.to(maps.device)
    order = shuffle[pixels[:, shuffle].argsort(dim=1, descending=True, stable=True)]
    return order.argsort(dim=1).view(len(maps), 1, *maps.shape[1:])
