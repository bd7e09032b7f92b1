"""Model randomisation (Adebayo et al., 2018): does a map depend on what the network learned?"""

import copy
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

# Networks are often built with the seed 0: the same would give back what they started from.
SALT = 0x9E3779B9

# Of a network for images (N, C, H, W) and the class to explain for each (N,): maps (N, H, W).
Explain = Callable[[nn.Module, Tensor, Tensor], Tensor]


class Randomization(NamedTuple):
    """What becomes of the maps while a network loses its weights, from the output to the input.

    Attributes:
        layers: From the layer of this name on to the output, weights were drawn anew: one name a
            stage, (S,). At the last stage nothing is left of what was learned.
        maps: Those of the trained network, and those of each stage, (1 + S, N, H, W).
        correlations: Rank correlation of each with that of the trained network, (S, N).
    """

    layers: list[str]
    maps: Tensor
    correlations: Tensor


@torch.inference_mode(False)  # a copy that is made in inference mode could not be differentiated
def randomization(
    model: nn.Module,
    explain: Explain,
    images: Tensor,
    classes: Tensor,
    num_stages: int = 6,
    seed: int = 0,
) -> Randomization:
    """Compare the maps of a network with those of copies that forget layer after layer.

    A map that depends on what was learned soon has nothing in common with its former self; one
    that only finds edges stays as it is. The model itself is left alone.

    Args:
        model: Trained network; maps images to logits.
        explain: Makes the maps.
        images: (N, C, H, W).
        classes: The class to explain for each image, (N,).
        num_stages: Stages at most; each adds about as many layers.
        seed: Other weights for another seed.

    Raises:
        ValueError: If the model has no layer with weights, or no stage is asked for.
    """
    stages = _stages(model, num_stages)
    forgetful, fresh = copy.deepcopy(model), randomized(model, seed).state_dict()
    images, classes = images.clone(), classes.clone()  # nor could tensors that were made in it
    maps = [explain(model, images, classes)]
    for tensors in stages.values():
        forgetful.load_state_dict(
            {name: fresh[name] for name in tensors if name in fresh}, strict=False
        )
        maps.append(explain(forgetful, images, classes))
    correlations = [rank_correlation(maps[0], stage) for stage in maps[1:]]
    return Randomization(list(stages), torch.stack(maps), torch.stack(correlations))


@torch.inference_mode(False)
def randomized(model: nn.Module, seed: int = 0) -> nn.Module:
    """A copy on the CPU whose weights are drawn anew, as its layers draw them when they are built.

    Parameters that belong to no such layer, as class tokens, are drawn from the normal
    distribution with their own mean and standard deviation.
    """
    fresh = copy.deepcopy(model).cpu()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(seed + SALT)  # of the CPU alone
        for module in fresh.modules():
            reset = getattr(module, "reset_parameters", None)
            if reset is not None and _owns_weights(module):
                reset()
                continue
            for parameter in module.parameters(recurse=False):
                spread = parameter.std() if parameter.numel() > 1 else 1.0
                parameter.copy_(parameter.mean() + spread * torch.randn(parameter.shape))
    return fresh


def rank_correlation(maps: Tensor, others: Tensor) -> Tensor:
    """Spearman's correlation of each pair of maps, (N, ...) and (N, ...), in [-1, 1], (N,).

    Give absolute values to compare magnitudes. 0 where one of a pair is flat, NaN where the first
    one is: it says nothing that another could agree with.
    """
    first, second = (_ranks(pixels.flatten(1).double()) for pixels in (maps, others))
    first, second = (ranks - ranks.mean(dim=1, keepdim=True) for ranks in (first, second))
    products, squares = (first * second).sum(dim=1), first.square().sum(dim=1)
    norms = (squares * second.square().sum(dim=1)).sqrt()
    correlations = torch.where(norms > 0, products / norms.clamp_min(1e-12), 0.0)
    return correlations.where(squares > 0, torch.nan).float()


def _ranks(values: Tensor) -> Tensor:
    """Ranks in each row, the mean of their ranks for equal values."""
    ordered = values.sort(dim=1).values
    below = torch.searchsorted(ordered, values)
    up_to = torch.searchsorted(ordered, values, right=True)
    return (below + up_to).double() / 2


def _owns_weights(module: nn.Module) -> bool:
    return next(module.parameters(recurse=False), None) is not None


def _has_matrix(module: nn.Module) -> bool:
    """Whether it is a layer with weights of its own; norms, which follow such layers, have none."""
    inside = next(module.children(), None)
    return inside is None and any(parameter.ndim > 1 for parameter in module.parameters())


def _stages(model: nn.Module, num_stages: int) -> dict[str, list[str]]:
    """Names of the tensors of each stage, from the output to the input, by its first layer."""
    if num_stages < 1:
        raise ValueError(f"Expected num_stages to be 1 or more, got {num_stages}.")
    modules = {name: module for name, module in model.named_modules() if _owns_weights(module)}
    layers = [name for name, module in modules.items() if _has_matrix(module)]
    if not layers:
        raise ValueError("The network has no layer with weights that could be drawn anew.")
    count = min(num_stages, len(layers))
    # From all that there is to the layer of the logits alone.
    starts = {layers[i * (len(layers) - 1) // max(count - 1, 1)] for i in range(count)}
    stages: dict[str, list[str]] = {layers[0]: []}
    for name, module in modules.items():
        if name in starts:
            stages.setdefault(name, [])
        stages[next(reversed(stages))] += [
            *dict(module.named_parameters(name, recurse=False)),
            *dict(module.named_buffers(name, recurse=False)),
        ]
    return dict(reversed(stages.items()))
