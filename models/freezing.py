"""Freezing: parameters before a boundary are frozen, those from the boundary on train."""

import difflib
from collections.abc import Mapping, Sequence
from typing import TypeVar

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from models.classifier import ImageClassifier

T = TypeVar("T")
ALL, HEAD = "all", "head"


def ordered_parameters(classifier: ImageClassifier) -> list[str]:
    """Names of all parameters, from the input to the output, without the prefix `backbone.`."""
    stages = classifier.backbone.stages().values()
    head = [f"{HEAD}.{name}" for name, _ in classifier.head.named_parameters()]
    return [*(name for names in stages for name in names), *head]


def position_of(boundary: str, classifier: ImageClassifier) -> int:
    """Index in `ordered_parameters` of the first parameter that trains.

    Args:
        boundary: Name of a parameter, a module or a stage of the backbone, with or without the
            prefix that its wrapper adds (`layer4` for `network.layer4`); `head`; or `all`.
        classifier: The classifier.

    Raises:
        ValueError: If nothing has this name; near names are listed.
    """
    names = ordered_parameters(classifier)
    if boundary == ALL:
        return 0
    stages = classifier.backbone.stages()
    if boundary in stages:
        return names.index(stages[boundary][0])
    known: list[str] = []
    for prefix in ("", *_wrappers(classifier.backbone)):
        inner = [name.removeprefix(prefix) if name.startswith(prefix) else "" for name in names]
        for index, name in enumerate(inner):
            if name == boundary or name.startswith(f"{boundary}."):
                return index
        known += inner
    raise ValueError(_unknown(boundary, [*stages, *known]))


def freeze_before(boundary: str, classifier: ImageClassifier) -> list[nn.Module]:
    """Let everything from the boundary on train, and freeze the rest.

    A frozen parameter has no gradient, so that the optimizer skips it: neither weight decay nor
    momentum changes it, and its optimizer state is new when it is unfrozen.

    Args:
        boundary: See `position_of`.
        classifier: The classifier, changed in place.

    Returns:
        The frozen batch norms, whose statistics must not change. Put them into `eval()` before each
        step. They keep `track_running_stats`, so that training and evaluation normalise alike.
    """
    names = ordered_parameters(classifier)
    free = set(names[position_of(boundary, classifier) :])
    parameters = {name.removeprefix("backbone."): p for name, p in classifier.named_parameters()}
    for name, parameter in parameters.items():
        parameter.requires_grad = name in free
        if name not in free:
            parameter.grad = None
    return [norm for norm in batch_norms(classifier) if _is_frozen(norm)]


def batch_norms(network: nn.Module) -> list[nn.Module]:
    """All batch norms of a network."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


def _is_frozen(module: nn.Module) -> bool:
    return not any(parameter.requires_grad for parameter in module.parameters())


def _wrappers(backbone: nn.Module) -> Sequence[str]:
    """Prefixes of modules that contain the whole network, such as `network.` of a library."""
    prefixes, module = [], backbone
    while True:
        inner = [(n, child) for n, child in module.named_children() if list(child.parameters())]
        if len(inner) != 1:
            return prefixes
        [(name, module)] = inner
        prefixes.append(f"{prefixes[-1] if prefixes else ''}{name}.")


def _unknown(boundary: str, known: Sequence[str]) -> str:
    modules = {name.rsplit(".", depth)[0] for name in known for depth in range(name.count(".") + 1)}
    near = difflib.get_close_matches(boundary, sorted(modules), n=5, cutoff=0.5)
    head = "Near names" if near else "Stages"
    names = ", ".join(dict.fromkeys([*(near or known[:12]), HEAD, "all"]))
    return f"No parameter or module of the network is called {boundary!r}. {head}: {names}."


def boundary_at(epoch: int, schedule: Mapping[int, T]) -> T:
    """Entry of a schedule that applies to an epoch: the last one that is not after it."""
    return schedule[max(start for start in schedule if start <= epoch)]


def stage_names(classifier: ImageClassifier) -> list[str]:
    """The stages of the backbone from the input to the output, then the head."""
    return [*classifier.backbone.stages(), HEAD]


def share_free(boundary: str, classifier: ImageClassifier) -> dict[str, float]:
    """Share of the parameters of each stage that train with a boundary, in [0, 1]."""
    names = ordered_parameters(classifier)
    free = set(names[position_of(boundary, classifier) :])
    sizes = {n.removeprefix("backbone."): p.numel() for n, p in classifier.named_parameters()}
    head = [name for name in names if name.startswith(f"{HEAD}.")]
    stages = {**classifier.backbone.stages(), HEAD: head}
    return {
        stage: sum(sizes[n] for n in members if n in free) / sum(sizes[n] for n in members)
        for stage, members in stages.items()
    }
