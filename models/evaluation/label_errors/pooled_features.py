"""Pooled features: one vector per image from all layers of a network."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize

from models.explain.first_middle_last import outer_layers
from models.explain.map_layout import map_layout

MAX_LAYERS = 12
CORNER = 0.75  # side of a corner crop, relative to that of the image


class PooledFeatures(NamedTuple):
    """Features (N, D), labels (N,) and indices (N,) of the images of all batches."""

    features: Tensor
    labels: Tensor
    indices: Tensor


def gather_features(
    model: nn.Module, batches: Iterable[Sequence[Tensor]], corners: bool = False
) -> PooledFeatures:
    """Compute the pooled features of all images of some batches; see `feature_batches`."""
    parts = list(feature_batches(model, batches, corners))
    return PooledFeatures(*(torch.cat(part) for part in zip(*parts, strict=True)))


def feature_batches(
    model: nn.Module, batches: Iterable[Sequence[Tensor]], corners: bool = False
) -> Iterator[PooledFeatures]:
    """Compute the pooled features of many images, batch by batch; see `pooled_features`.

    Args:
        model: In eval mode; maps images to features.
        batches: Images in [0, 1] (N, C, H, W), their labels and indices, on the CPU.
        corners: Average the features over the image and its four corners, as Krizhevsky et al.
            (2012) did with predictions: five times the work, and better features.

    Raises:
        ValueError: If there is no image.
    """
    layers: list[str] | None = None
    weight = next(model.parameters())
    for images, labels, indices in batches:
        images = images.to(weight)  # its device and precision
        layers = pooled_layers(model, images) if layers is None else layers
        views = [images, *(four_corners(images) if corners else ())]
        features = torch.stack([pooled_features(model, view, layers) for view in views])
        yield PooledFeatures(features.float().mean(dim=0), labels, indices)
    if layers is None:
        raise ValueError("Expected one image or more to check the labels of; none could be read.")


def four_corners(images: Tensor) -> list[Tensor]:
    """Crops of the four corners of images (N, C, H, W), enlarged to the size of the images."""
    height, width = images.shape[-2:]
    down, across = round(CORNER * height), round(CORNER * width)
    return [
        interpolate(corner, (height, width), mode="bilinear", antialias=True)
        for rows in (images[..., :down, :], images[..., height - down :, :])
        for corner in (rows[..., :across], rows[..., width - across :])
    ]


def pooled_layers(model: nn.Module, images: Tensor) -> list[str]:
    """Names of at most `MAX_LAYERS` layers that return feature maps, spread over the network.

    Of a layer with weights and the activation, norm or pooling after it, the last one is taken. The
    list is empty for a network without feature maps.

    Args:
        model: Any network.
        images: A batch of its input; only the first image is used.
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

    Early layers have memorised fewer labels than the last one; late layers know more of the
    classes. Each vector is replaced by its signed square roots and scaled to length 1, like Fisher
    vectors (Perronnin, Sánchez and Mensink, 2010), so that no channel dominates.

    Args:
        model: Maps images to a vector of features, or to logits.
        images: (N, C, H, W) in [0, 1].
        layers: Names of layers that return feature maps.

    Returns:
        (N, D), on the CPU.
    """
    vectors: dict[str, list[Tensor]] = {}

    def recorder(name: str) -> Callable[..., None]:
        def record(module: nn.Module, args: object, output: Tensor) -> None:
            if to_map := map_layout(output, images):
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
