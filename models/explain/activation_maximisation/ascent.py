"""Gradient ascent to the image that activates a channel of a layer most."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from models.explain.activation_maximisation.parametrisations import (
    FourierParametrisation,
    Method,
    Parametrisation,
    PixelParametrisation,
)
from models.explain.activation_maximisation.target import Target

PARAMETRISATIONS = {"fourier": FourierParametrisation, "pixels": PixelParametrisation}
# Of the activations of a batch, roughly. Large batches take up to half as long again on a CPU: they
# do not fit into its cache, and the system maps their memory anew in each step. A few images are
# computed at once even so, since weights are read once.
MAX_BYTES = {"cpu": 2**24, "cuda": 2**30}
LEAST_AT_ONCE = 4


class Maximised(NamedTuple):
    """Result of activation maximisation for n channels.

    Attributes:
        images: In [0, 1], (n, C, H, W).
        objective: Mean activation of the channel before each step, (n, steps).
        dead: Whether the channel was never activated, (n,).
    """

    images: Tensor
    objective: Tensor
    dead: Tensor


def maximise_activation(
    model: nn.Module,
    layer: nn.Module | None,
    channels: Sequence[int],
    shape: tuple[int, int, int],
    method: Method = "fourier",
    steps: int = 64,
    seed: int = 0,
) -> Maximised:
    """Activation maximisation (Erhan et al., 2009): which image activates a filter most?

    Gradient ascent on the image maximises the mean of the channel's map; see `PixelParametrisation`
    and `FourierParametrisation`. All channels are maximised at once, each with its own image from
    the same start, so that the result does not depend on the other channels. The layer may be a
    convolution, whose output may be negative, or the ReLU after it, whose output is the input of
    the next layer.

    A channel counts as dead if its ReLU is zero everywhere in each step, though from another start
    it might not be, or without a ReLU if no pixel ever has an influence on it. The Fourier
    parametrisation tries to revive a channel by maximising the input of the ReLU; in pixels, as in
    Keras' example, it stays dead.

    Args:
        model: Maps images in [0, 1] to logits; in eval mode.
        layer: Submodule of the model whose channels are maximised: filters of a convolution, or
            units of a linear layer, also on the tokens of a ViT; None for the logits.
        channels: The channel of each image.
        shape: Shape of an image, (C, H, W).
        method: `fourier` or `pixels`.
        steps: Number of steps.
        seed: Seed of the initial noise.

    Raises:
        ValueError: If the layer does not have these channels, the model does not call it, its
            output has no channels, or the number of steps is not positive.
    """
    if steps < 1:
        raise ValueError(f"Expected steps to be 1 or more, got {steps}.")
    with torch.inference_mode(False), torch.enable_grad():
        target = _target(model, layer, shape)
        wrong = [c for c in channels if not 0 <= c < target.num_channels]
        if wrong or not channels:
            raise ValueError(
                f"Expected channels in [0, {target.num_channels}), which the layer has, "
                f"got {wrong[0] if wrong else 'none'}."
            )
        wanted = torch.tensor(channels, device=target.device)
        parts = [
            _ascend(
                target,
                part,
                PARAMETRISATIONS[method](len(part), shape, seed, wanted.device),
                steps,
            )
            for part in wanted.split(_at_once(target))
        ]
    return Maximised(*(torch.cat(part) for part in zip(*parts, strict=True)))


def _at_once(target: Target) -> int:
    limit = MAX_BYTES.get(target.device.type, MAX_BYTES["cuda"])
    return max(LEAST_AT_ONCE, limit // max(target.image_bytes, 1))


def _target(model: nn.Module, layer: nn.Module | None, shape: tuple[int, int, int]) -> Target:
    device = next((parameter.device for parameter in model.parameters()), None)
    return Target(model, layer, torch.full((1, *shape), 0.5, device=device))


def _ascend(target: Target, channels: Tensor, pixels: Parametrisation, steps: int) -> Maximised:
    objective: list[Tensor] = []
    alive = torch.zeros_like(channels, dtype=torch.bool)
    for _ in range(steps):
        maps = target.maps(pixels.current_images(), channels)
        activation = (relu(maps) if target.is_rectified else maps).mean(dim=1)
        goal = activation
        if target.is_rectified and pixels.revives_dead:
            goal = torch.where(activation > 0, activation, maps.mean(dim=1))
        [gradient] = torch.autograd.grad(goal.sum(), pixels.variable)
        pixels.step(gradient)
        objective.append(activation.detach())
        alive |= objective[-1] > 0 if target.is_rectified else gradient.flatten(1).any(dim=1)
    return Maximised(pixels.final_images(), torch.stack(objective, dim=1), ~alive)


def count_channels(model: nn.Module, layer: nn.Module | None, shape: tuple[int, int, int]) -> int:
    """Number of channels that `maximise_activation` can maximise.

    Args:
        model: Maps images in [0, 1] to logits.
        layer: Submodule of the model; None for the logits.
        shape: Shape of an image, (C, H, W).

    Raises:
        ValueError: If the model does not call the layer, or its output has no channels.
    """
    with torch.inference_mode(False):
        return _target(model, layer, shape).num_channels
