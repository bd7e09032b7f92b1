"""What all of a network's layers say of an image as a whole."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize

from models.explain.depths import outer_layers
from models.explain.feature_map import layout

MAX_LAYERS = 12
CORNER = 0.75  # share of each side that a view of a corner shows


class Gathered(NamedTuple):
    """Features (N, D), labels (N,) and indices (N,) of the images of all batches."""

    features: Tensor
    labels: Tensor
    indices: Tensor


def gather_features(
    model: nn.Module, batches: Iterable[Sequence[Tensor]], corners: bool = False
) -> Gathered:
    """Pooled features of many images; see `pooled_features`.

    Args:
        model: In eval mode; maps images to features.
        batches: Images in [0, 1] (N, C, H, W), their labels and indices, on the CPU.
        corners: Average the features over the image and its four corners, as Krizhevsky et al.
            (2012) did with predictions: five times the work, and better features.

    Raises:
        ValueError: If there is no image.
    """
    parts: list[list[Tensor]] = []
    layers: list[str] = []
    device = next(model.parameters()).device
    for images, labels, indices in batches:
        images = images.to(device)
        layers = layers if parts else pooled_layers(model, images)
        views = [images, *(four_corners(images) if corners else ())]
        features = torch.stack([pooled_features(model, view, layers) for view in views])
        parts.append([features.mean(dim=0), labels, indices])
    if not parts:
        raise ValueError("There is no image that can be read to judge its label.")
    return Gathered(*(torch.cat(part) for part in zip(*parts, strict=True)))


def four_corners(images: Tensor) -> list[Tensor]:
    """The corners of images (N, C, H, W), each enlarged to the size of the whole."""
    height, width = images.shape[-2:]
    down, across = round(CORNER * height), round(CORNER * width)
    return [
        interpolate(corner, (height, width), mode="bilinear", antialias=True)
        for rows in (images[..., :down, :], images[..., height - down :, :])
        for corner in (rows[..., :across], rows[..., width - across :])
    ]


def pooled_layers(model: nn.Module, images: Tensor) -> list[str]:
    """Names of at most `MAX_LAYERS` layers that put out maps, spread over the network.

    Of a layer with weights and the activation, norm or pooling after it, the last one is taken. A
    network without maps has no such layer; its output has to do.

    Args:
        model: Any network.
        images: A batch that it takes; the first image is tried.
    """
    outer = outer_layers(model, images)
    names = [
        name
        for name, after in pairwise([*outer, ""])
        if not after or any(p.ndim > 1 for p in model.get_submodule(after).parameters())
    ]
    places = torch.linspace(0, len(names) - 1, min(len(names), MAX_LAYERS)).round().int()
    return [names[place] for place in places]


@torch.no_grad()
def pooled_features(model: nn.Module, images: Tensor, layers: Sequence[str]) -> Tensor:
    """Mean and maximum over the positions of each layer's maps, and the model's output.

    Early layers have learned less of the labels than the last one, and late ones more of the
    classes. Each vector gets the square roots of its values and the length 1, as Fisher vectors do
    (Perronnin, Sánchez and Mensink, 2010), so that no channel drowns the others.

    Args:
        model: Maps images to a vector of features, or to logits.
        images: (N, C, H, W) in [0, 1].
        layers: Names of layers that put out maps.

    Returns:
        (N, D), on the CPU.
    """
    vectors: dict[str, list[Tensor]] = {}

    def recorder(name: str) -> Callable[..., None]:
        def record(module: nn.Module, args: object, output: Tensor) -> None:
            if to_map := layout(output, images):
                maps = to_map(output)
                vectors[name] = [maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))]

        return record

    with ExitStack() as hooks:
        for name in layers:
            module = model.get_submodule(name)
            hooks.callback(module.register_forward_hook(recorder(name)).remove)
        output = model(images)
    found = [vector for name in layers for vector in vectors.get(name, [])] + [output]
    rooted = [v.float().flatten(1).sign() * v.float().flatten(1).abs().sqrt() for v in found]
    return torch.cat([normalize(vector) for vector in rooted], dim=1).cpu()
