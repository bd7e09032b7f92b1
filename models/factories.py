"""What the classifier is told to build its parts with."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from lightning.pytorch.core.mixins.hparams_mixin import _given_hyperparameters
from torch import Tensor, nn
from torch._dynamo.exc import InvalidBackend

Factory = TypeVar("Factory", bound=Callable[..., Any])
HeadCallable = Callable[[int, int], nn.Module]  # (num_features, num_classes) -> head
LossCallable = Callable[[Sequence[int]], nn.Module]  # (class_counts) -> loss(logits, labels)
Network = Callable[[Any, Tensor], tuple[Tensor, Tensor]]  # (classifier, images) -> features, logits

RECOMPILE_LIMIT = 64  # torch's own is 8


def from_command_line() -> bool:
    """Whether the classifier is built from the plain values of a configuration.

    Objects made in Python have no place in a checkpoint.
    """
    return _given_hyperparameters.get() is not None


def drop_unknown(settings: dict[str, Any], built: type) -> None:
    """Leave out of a class's settings what it does not take, in place.

    The command line links the size of the images to every backbone, also to those that have no
    use for it, and a checkpoint with an unknown setting could not be read.
    """
    arguments = settings.get("init_args") or {}
    for name in set(arguments) - set(inspect.signature(built).parameters):
        del arguments[name]


def shared(factory: Factory) -> Factory:
    """A factory as a function, which `deepcopy` shares with the copy.

    Those of the command line hold its parser, and with it a lock, which cannot be copied.
    """

    def build(*arguments: Any) -> Any:
        return factory(*arguments)

    return build  # pyright: ignore[reportReturnType]


def network_of(compile: bool | str) -> Network:
    """How the steps call a network; what looks into it calls it directly, so that its hooks run.

    The module is an argument, so a copy of a compiled network runs with weights of its own.

    Args:
        compile: Whether to compile, or the backend to compile with.

    Raises:
        ValueError: If torch has no such backend.
    """
    if compile is False:
        return _call
    # Training, validation and each boundary of what is frozen are compiled for themselves; beyond
    # the limit torch would go on without.
    torch._dynamo.config.recompile_limit = RECOMPILE_LIMIT
    try:
        return torch.compile(_call, backend="inductor" if compile is True else compile)
    except InvalidBackend as error:
        known = ", ".join(torch.compiler.list_backends())
        raise ValueError(
            f"Expected compile to be true, false, {known}, got {compile!r}."
        ) from error


def _call(classifier: Any, images: Tensor) -> tuple[Tensor, Tensor]:
    return classifier.features_and_logits(images)
