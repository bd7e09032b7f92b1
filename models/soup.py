"""Model soups: the mean of the weights of networks (Wortsman et al., 2022)."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

Weights = Mapping[str, Tensor]
Score = tuple[float, float]  # accuracy, and the loss with a minus: the higher, the better
STATISTICS = ("running_mean", "running_var")


def average(networks: Sequence[Weights]) -> dict[str, Tensor]:
    """Mean of the weights, computed in float64; what is not a float is that of the first network.

    Args:
        networks: Tensors of one shape under each name.
    """
    first = networks[0]
    return {
        name: torch.stack([network[name].double() for network in networks]).mean(0).to(value.dtype)
        if value.is_floating_point()
        else value.clone()
        for name, value in first.items()
    }


def greedy_soup(
    networks: Sequence[Weights], score: Callable[[Sequence[int]], Score], done: Callable[..., None]
) -> list[int]:
    """The networks to average: each is added, best first, and kept only if validation improves.

    Args:
        networks: The weights of the networks.
        score: Score of the mean of some of them, by their places.
        done: Called after each step with the place of the network, its score alone, the score of
            the soup with it, and whether it was kept.

    Returns:
        The places of those that were kept, the best network first.
    """
    alone = [score([place]) for place in range(len(networks))]
    order = sorted(range(len(networks)), key=lambda place: alone[place], reverse=True)
    kept, best = [order[0]], alone[order[0]]
    done(order[0], best, best, True)
    for place in order[1:]:
        with_it = score([*kept, place])
        improves = with_it > best
        done(place, alone[place], with_it, improves)
        if improves:
            kept, best = [*kept, place], with_it
    return kept


def moved_norms(model: nn.Module, networks: Sequence[Weights]) -> list[nn.Module]:
    """Batch norms of a model whose statistics differ among networks.

    Those that training has not moved, such as those of a pretrained network that keeps them, are
    right for the mean as well.
    """
    return [
        module
        for name, module in model.named_modules()
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None
        if any(
            not torch.equal(networks[0][f"{name}.{key}"], other[f"{name}.{key}"])
            for other in networks[1:]
            for key in STATISTICS
        )
    ]


@torch.no_grad()
def estimate_statistics(
    model: nn.Module, norms: Sequence[nn.Module], batches: Iterable[Tensor]
) -> None:
    """Estimate the statistics of batch norms anew, as the mean over batches.

    The mean of the weights of several networks has other activations than any of them.

    Args:
        model: The network, in eval mode; only the norms see their batch.
        norms: Its batch norms.
        batches: Training images in [0, 1], (n, C, H, W).
    """
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()  # pyright: ignore[reportCallIssue]
        norm.momentum = None  # pyright: ignore[reportArgumentType] - each batch counts the same
        norm.train()
    for images in batches:
        model(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
