"""Model randomisation (Adebayo et al., 2018): does a map depend on the learned weights?"""

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.explain.evidence import Explain

# Networks are often built with seed 0, whose weights would be drawn again without this.
SALT = 0x9E3779B9


class Randomization(NamedTuple):
    """Maps of a network whose weights are randomised in S stages, from the output to the input.

    Attributes:
        layers: Name of the first randomised layer of each stage, (S,); all layers after it are
            randomised, too. At the last stage no learned weights are left.
        maps: Maps of the trained network and of each stage, (1 + S, N, H, W).
        correlations: Rank correlations between each stage and the trained network, (S, N).
    """

    layers: list[str]
    maps: Tensor
    correlations: Tensor


@torch.inference_mode(False)  # copies that are made in inference mode have no gradients
def randomization(
    model: nn.Module,
    explain: Explain,
    images: Tensor,
    classes: Tensor,
    num_stages: int = 6,
    seed: int = 0,
) -> Randomization:
    """Compare the maps of a network with those of copies that have more and more random weights.

    A map that depends on the learned weights soon has nothing in common with the original; one that
    only detects edges stays the same. The model itself is not changed.

    Args:
        model: Trained network; maps images to logits.
        explain: Makes the maps.
        images: (N, C, H, W).
        classes: The class to explain for each image, (N,).
        num_stages: Number of stages at most, each with about equally many layers.
        seed: Seed of the random weights.

    Raises:
        ValueError: If the model has no layer with weights, or `num_stages` is below 1.
    """
    stages = _stages(model, num_stages)
    partly, fresh = copy.deepcopy(model), randomized(model, seed).state_dict()
    images, classes = images.clone(), classes.clone()  # for the same reason
    maps = [explain(model, images, classes)]
    for tensors in stages.values():
        partly.load_state_dict(
            {name: fresh[name] for name in tensors if name in fresh}, strict=False
        )
        maps.append(explain(partly, images, classes))
    correlations = [rank_correlation(maps[0], stage) for stage in maps[1:]]
    return Randomization(list(stages), torch.stack(maps), torch.stack(correlations))


@torch.inference_mode(False)
def randomized(model: nn.Module, seed: int = 0) -> nn.Module:
    """A copy on the CPU with new random weights, drawn by `reset_parameters` of its layers.

    Other parameters, such as class tokens, are drawn from a normal distribution with their mean and
    standard deviation.
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
    """Spearman's rank correlation of each pair of maps, (N, ...) and (N, ...), in [-1, 1], (N,).

    Pass absolute values to compare magnitudes. The correlation is NaN if the first map of a pair is
    constant, and 0 if only the second one is.
    """
    first, second = (_ranks(pixels.flatten(1).cpu().double()) for pixels in (maps, others))
    first, second = (ranks - ranks.mean(dim=1, keepdim=True) for ranks in (first, second))
    products, squares = (first * second).sum(dim=1), first.square().sum(dim=1)
    norms = (squares * second.square().sum(dim=1)).sqrt()
    correlations = torch.where(norms > 0, products / norms.clamp_min(1e-12), 0.0)
    return correlations.where(squares > 0, torch.nan).float()


def _ranks(values: Tensor) -> Tensor:
    """Ranks in each row; equal values share the mean of their ranks."""
    ordered = values.sort(dim=1).values
    below = torch.searchsorted(ordered, values)
    up_to = torch.searchsorted(ordered, values, right=True)
    return (below + up_to).double() / 2


def _owns_weights(module: nn.Module) -> bool:
    return next(module.parameters(recurse=False), None) is not None


def _has_matrix(module: nn.Module) -> bool:
    """Whether it is a layer with a weight matrix, unlike a norm."""
    inside = next(module.children(), None)
    return inside is None and any(parameter.ndim > 1 for parameter in module.parameters())


def _stages(model: nn.Module, num_stages: int) -> dict[str, list[str]]:
    """Names of the tensors of each stage, by its first layer, from the output to the input."""
    if num_stages < 1:
        raise ValueError(f"Expected num_stages to be 1 or more, got {num_stages}.")
    modules = {name: module for name, module in model.named_modules() if _owns_weights(module)}
    layers = [name for name, module in modules.items() if _has_matrix(module)]
    if not layers:
        raise ValueError("The network has no layer with weights to randomise.")
    count = min(num_stages, len(layers))
    # From the first layer to the last one.
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
