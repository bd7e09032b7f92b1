"""Allowed classes: what a checkpoint, or the configuration of a stored run, may build.

A YAML file that a user writes may name any class, and jsonargparse imports it. A checkpoint or a
run on a server may come from anyone: with `class_path: os.system` it would run a command. So while
settings of that origin are parsed and built, each name is checked before it is imported.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from jsonargparse import _util

ALLOW = "LIGHTNING_CLI_ALLOW"  # environment variable: classes or modules, separated by commas
OWN = ("callbacks", "datamodules", "lightning_app", "models")  # packages without import effects

VALUES = ("datetime.timedelta", "decimal.Decimal", "uuid.UUID")  # jsonargparse imports them itself

_import_object = _util.import_object
_is_checked = ContextVar("is_checked", default=False)
_named: set[str] = set()  # by the user, in configurations and on the command line


class _Refused(BaseException):
    """No Exception: jsonargparse catches those, and tries the next type of a union."""


@contextmanager
def only_allowed_classes(origin: Path | str) -> Iterator[None]:
    """Let jsonargparse import and build only classes that are allowed.

    These are: classes of this package; optimizers, schedulers and layers of torch; transforms of
    albumentations; callbacks, loggers and plugins of Lightning; subclasses of our base classes in
    modules that are imported already; what the user has named in a configuration or an option of
    this process, or in the environment variable `LIGHTNING_CLI_ALLOW`.

    Args:
        origin: Where the settings come from, for the error.

    Raises:
        ValueError: If they name anything else.
    """
    token = _is_checked.set(True)
    try:
        yield
    except _Refused as refusal:
        raise ValueError(
            f"{origin} wants to build `{refusal}`, which is no class that we know, and no "
            "configuration of this command names it. In this way a checkpoint or a stored "
            "configuration, which can come from anyone, can run any program. If you trust it, name "
            f"the class in a file for --config, or set {ALLOW}={refusal}."
        ) from None
    finally:
        _is_checked.reset(token)


def install() -> None:
    """Check what jsonargparse imports; it has settings for names, but none for base classes."""
    for name, module in list(sys.modules.items()):
        if name.startswith("jsonargparse.") and "import_object" in vars(module):
            vars(module)["import_object"] = _checked_import


def _checked_import(name: Any, *arguments: Any, **options: Any) -> Any:
    if _is_checked.get() and isinstance(name, str) and "." in name and not _is_allowed(name):
        raise _Refused(name)
    found = _import_object(name, *arguments, **options)
    if not _is_checked.get():
        _named.add(name)
    return found


def _is_allowed(name: str) -> bool:
    listed = [entry.strip() for entry in os.environ.get(ALLOW, "").split(",") if entry.strip()]
    if (
        name in _named
        or name in VALUES
        or any(name == entry or name.startswith(f"{entry}.") for entry in listed)
    ):
        return True
    found = _find(name)
    return isinstance(found, type) and (
        issubclass(found, _bases("")) or _is_known(found, found.__module__)
    )


def _find(name: str) -> Any:
    """The object with this name, without importing a module of others."""
    module, _, attribute = name.rpartition(".")
    if module.split(".")[0] in OWN and not module.endswith("__main__"):
        try:
            return getattr(import_module(module), attribute, None)
        except ImportError:
            return None
    return getattr(sys.modules.get(module), attribute, None)


def _is_known(found: type, module: str) -> bool:
    """Whether a library that we use defines the class, for a purpose that we know."""
    if module.split(".")[0] in OWN and is_dataclass(found):
        return True
    libraries = ("torch.optim", "torch.nn", "lightning", "albumentations", *OWN)
    return any(
        (module == library or module.startswith(f"{library}."))
        and issubclass(found, _bases(library))
        for library in libraries
    )


def _bases(library: str) -> tuple[type, ...]:
    """Base classes of what a library may contribute; "" for any module."""
    import albumentations.core.serialization as albumentations
    import lightning.fabric.plugins as fabric
    import lightning.pytorch as lightning
    import torch
    from lightning.pytorch import accelerators, loggers, profilers, strategies

    from callbacks.pictures import Picture
    from datamodules import ImageDataModule
    from models import Backbone, ImageClassifier, Schedule

    rates = (torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler)
    plugins = (fabric.CheckpointIO, fabric.ClusterEnvironment, fabric.Precision)
    parts = (loggers.Logger, profilers.Profiler, strategies.Strategy, accelerators.Accelerator)
    return {
        "torch.optim": rates,
        "torch.nn": (torch.nn.Module,),
        "lightning": (*rates, lightning.Callback, *parts, *plugins),
        "albumentations": (albumentations.Serializable,),
        "": (Backbone, Schedule, ImageClassifier, ImageDataModule, Picture, lightning.Callback),
    }.get(library, (torch.nn.Module, loggers.Logger, fabric.CheckpointIO))
