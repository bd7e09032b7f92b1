"""Factories: functions that build the parts of the classifier, and its compiled forward pass."""

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
Forward = Callable[[Any, Tensor], tuple[Tensor, Tensor]]  # (classifier, images) -> features, logits

RECOMPILE_LIMIT = 64  # torch's own is 8


def from_command_line() -> bool:
    """Whether the classifier is being built from a configuration, that is, from plain values.

    Objects that are created in Python cannot be stored in a checkpoint.
    """
    return _given_hyperparameters.get() is not None


def drop_unknown(settings: dict[str, Any], built: type) -> None:
    """Remove the settings that a class does not take, in place.

    The command line links the image size to every backbone, also to those without such a setting,
    and a checkpoint with an unknown setting could not be loaded.
    """
    arguments = settings.get("init_args") or {}
    for name in set(arguments) - set(inspect.signature(built).parameters):
        del arguments[name]


def shared(factory: Factory) -> Factory:
    """Wrap a factory in a function, which `deepcopy` does not copy.

    Factories from the command line refer to its parser, which holds a lock and cannot be copied.
    """

    def build(*arguments: Any) -> Any:
        return factory(*arguments)

    return build  # pyright: ignore[reportReturnType]


def forward_function(compile: bool | str) -> Forward:
    """Forward pass of training and evaluation steps, compiled or not.

    Explanations call the module itself, so that its hooks run. The module is an argument here, so
    that a copy of a compiled network uses its own weights.

    Args:
        compile: Whether to compile, or the name of the backend to compile with.

    Raises:
        ValueError: If torch has no such backend.
    """
    if compile is False:
        return _call
    # Training, validation and each set of frozen layers are compiled separately. Beyond the limit,
    # torch would run uncompiled.
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
