"""Compute one channel per image: each image of a batch passes only its own filter."""

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, fold, pad

from models.explain.activation_maximisation.layer_calls import ACTIVATIONS

FEW = 4  # input channels below which a grouped convolution is faster
# Layers that treat all channels separately and alike.
CHANNELWISE = (*ACTIVATIONS, nn.MaxPool2d, nn.AvgPool2d, nn.Identity)
NORMS = (nn.BatchNorm2d, nn.SyncBatchNorm)


def filter_per_image(layer: nn.Conv2d, inputs: Tensor, channels: Tensor) -> Tensor:
    """Output of filter `channels[i]` of a convolution for image i.

    Args:
        layer: The convolution.
        inputs: Its input, (n, D, h, w).
        channels: The filter of each image, (n,).

    Returns:
        Maps (1, n, h', w'), as if the images were channels of one image.
    """
    weight = layer.weight[channels]
    bias = None if layer.bias is None else layer.bias[channels]
    group = channels // (layer.out_channels // layer.groups)  # the input channels that it takes
    rows = torch.arange(len(inputs), device=inputs.device)
    inputs = inputs.unflatten(1, (layer.groups, -1))[rows, group]
    if layer.padding_mode != "zeros":
        inputs = pad(inputs, layer._reversed_padding_repeated_twice, layer.padding_mode)
        padding = (0, 0)
    else:
        padding = layer.padding
    if inputs.shape[1] >= FEW and (margin := _margin(layer, padding)) is not None:
        maps = _by_fold(layer, inputs, weight, margin)
        return maps if bias is None else maps + bias[:, None, None]
    inputs = inputs.flatten(0, 1)[None]
    return conv2d(inputs, weight, bias, layer.stride, padding, layer.dilation, len(weight))


def _margin(layer: nn.Conv2d, padding: tuple[int, ...] | str) -> tuple[int, int] | None:
    """Padding of the transposed convolution; None if it cannot be expressed so."""
    extents = [d * (k - 1) for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
    if padding == "same" and not any(extent % 2 for extent in extents):
        padding = tuple(extent // 2 for extent in extents)
    if isinstance(padding, str):
        padding = {"valid": (0, 0)}.get(padding, (-1, -1))
    if set(layer.stride) != {1} or not all(
        0 <= p <= extent for p, extent in zip(padding, extents, strict=True)
    ):
        return None
    return extents[0] - padding[0], extents[1] - padding[1]


def _by_fold(layer: nn.Conv2d, inputs: Tensor, weight: Tensor, margin: tuple[int, int]) -> Tensor:
    """Multiply by the weights first, with one matrix product per image, then shift and add.

    On a CPU this is five to ten times as fast as a convolution with as many groups as images.
    """
    products = weight.flip(2, 3).flatten(2).mT @ inputs.flatten(2)  # (n, kernel, positions)
    size = tuple(
        side - 2 * m + d * (k - 1)
        for side, m, d, k in zip(
            inputs.shape[2:], margin, layer.dilation, layer.kernel_size, strict=True
        )
    )
    return fold(products, size, layer.kernel_size, layer.dilation, margin).squeeze(1)[None]


def is_channelwise(layer: nn.Module) -> bool:
    """Whether `channel_per_image` can compute a layer that follows a convolution."""
    if type(layer) in NORMS:
        return not layer.training and layer.running_mean is not None
    if isinstance(layer, nn.Dropout | nn.Dropout2d):
        return not layer.training
    return type(layer) in CHANNELWISE


def channel_per_image(layer: nn.Module, maps: Tensor, channels: Tensor) -> Tensor:
    """Output of a norm, activation or pooling for maps (1, n, h, w) of different channels."""
    if not isinstance(layer, NORMS):
        return layer(maps)
    mean, var, weight, bias = (
        None if values is None else values[channels]
        for values in (layer.running_mean, layer.running_var, layer.weight, layer.bias)
    )
    return batch_norm(maps, mean, var, weight, bias, training=False, eps=layer.eps)
