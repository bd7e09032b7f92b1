"""Climb to the image that a channel of a layer answers most."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from models.explain.activation_maximisation.target import Target
from models.explain.activation_maximisation.ways import FourierWay, Method, PixelWay, Way

WAYS = {"fourier": FourierWay, "pixels": PixelWay}
MAX_BYTES = 2**30  # of a batch's activations, about


class Maximised(NamedTuple):
    """What a climb ended with.

    Attributes:
        images: In [0, 1], (n, C, H, W).
        objective: Mean of the channel's map before each step, (n, steps).
        dead: Whether the channel never answered, (n,).
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
    """Activation maximisation (Erhan et al., 2009): what would excite a filter most?

    Gradient ascent on the image, so that the mean of a channel's map becomes as large as can be;
    see `PixelWay` and `FourierWay`. All channels climb at once, each with an image of its own and
    from the same start, so that it does not matter which others climb with it. Named is what
    answers: the output of a convolution may be negative, that of the ReLU after it is what the
    next layer sees.

    A channel is dead if a ReLU lets nothing of it through in any step, and without ReLU if no
    pixel ever has an influence on it. The Fourier way tries to wake what a ReLU cuts off, by
    climbing on what comes before the ReLU; in pixels, as in Keras' example, it stays dead.

    Args:
        model: Maps images in [0, 1] to logits; in eval mode.
        layer: Submodule of the model whose channels are to answer: filters of a convolution,
            units of a linear layer, also of the tokens of a ViT; None for the logits.
        channels: The channel to excite in each image.
        shape: Of an image, (C, H, W).
        method: `fourier`, or `pixels`.
        steps: Of the ascent.
        seed: Of the noise to begin with.

    Raises:
        ValueError: If the layer has no such channels, the model does not use it, its output has no
            channels, or the number of steps is not positive.
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
            _climb(target, part, WAYS[method](len(part), shape, seed, wanted.device), steps)
            for part in wanted.split(max(1, MAX_BYTES // max(target.image_bytes, 1)))
        ]
    return Maximised(*(torch.cat(part) for part in zip(*parts, strict=True)))


def _target(model: nn.Module, layer: nn.Module | None, shape: tuple[int, int, int]) -> Target:
    device = next((parameter.device for parameter in model.parameters()), None)
    return Target(model, layer, torch.full((1, *shape), 0.5, device=device))


def _climb(target: Target, channels: Tensor, way: Way, steps: int) -> Maximised:
    objective: list[Tensor] = []
    alive = torch.zeros_like(channels, dtype=torch.bool)
    for _ in range(steps):
        maps = target.maps(way.seen(), channels)
        answer = (relu(maps) if target.is_rectified else maps).mean(dim=1)
        goal = answer
        if target.is_rectified and way.wakes_silent:
            goal = torch.where(answer > 0, answer, maps.mean(dim=1))
        [gradient] = torch.autograd.grad(goal.sum(), way.variable)
        way.climb(gradient)
        objective.append(answer.detach())
        alive |= objective[-1] > 0 if target.is_rectified else gradient.flatten(1).any(dim=1)
    return Maximised(way.finished(), torch.stack(objective, dim=1), ~alive)


def count_channels(model: nn.Module, layer: nn.Module | None, shape: tuple[int, int, int]) -> int:
    """How many channels `maximise_activation` can excite.

    Args:
        model: See `maximise_activation`, as the other arguments.
        layer: Whose channels; None for the logits.
        shape: Of an image, (C, H, W).

    Raises:
        ValueError: If the model does not use the layer, or its output has no channels.
    """
    with torch.inference_mode(False):
        return _target(model, layer, shape).num_channels
