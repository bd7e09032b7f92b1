"""Layers by the names that people give them."""

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from models.explain.feature_map import NothingToShow

CONVOLUTIONS = "convolutions"


def find_layers(model: nn.Module, patterns: Sequence[str]) -> list[str]:
    """Names of the layers that are called so, in the order of the network.

    Args:
        model: Whose layers they are.
        patterns: Names, or patterns such as `layer?.0.conv1`, with or without the path of the
            modules that hold the network: `conv1` is `backbone.network.conv1` too. The word
            `convolutions` stands for all of them.

    Raises:
        ValueError: If a pattern names none; near names are listed.
        NothingToShow: If all convolutions are asked for and there are none.
    """
    found: set[str] = set()
    for pattern in patterns:
        names = _matching(model, pattern)
        if not names and pattern == CONVOLUTIONS:
            raise NothingToShow("the network has no convolution.")
        if not names:
            raise ValueError(_unknown(model, pattern))
        found |= set(names)
    return [name for name, _ in model.named_modules() if name in found]


def find_layer(model: nn.Module, pattern: str) -> str:
    """The full name of the only layer that is called so; see `find_layers`.

    Raises:
        ValueError: If there is none, or more than one.
    """
    names = find_layers(model, [pattern])
    if len(names) > 1:
        raise ValueError(f"{pattern!r} names {len(names)} layers: {', '.join(names[:5])}.")
    return names[0]


def short_name(model: nn.Module, name: str) -> str:
    """What `find_layers` calls a layer too, without the path that every layer has."""
    inner = [name.removeprefix(prefix) for prefix in _prefixes(model) if name.startswith(prefix)]
    said = [rest for rest in reversed(inner) if not rest[0].isdigit()]
    return next((rest for rest in said if _matching(model, rest) == [name]), name)


def _matching(model: nn.Module, pattern: str) -> list[str]:
    """The shortest paths win: `conv1` is not `layer1.0.conv1`."""
    if pattern == CONVOLUTIONS:
        return [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    paths = [name for name, _ in model.named_modules() if name]
    for prefix in _prefixes(model):
        inner = [name for name in paths if name.startswith(prefix)]
        if names := [n for n in inner if fnmatchcase(n.removeprefix(prefix), pattern)]:
            return names
    return []


def _prefixes(model: nn.Module) -> list[str]:
    """Paths of the modules that may be left out: `backbone.`, `backbone.network.`."""
    prefixes = [""]
    for name in ("backbone", "network", "blocks", "layers"):
        path = f"{prefixes[-1]}{name}."
        if any(n.startswith(path) for n, _ in model.named_modules()):
            prefixes.append(path)
    return prefixes


def _unknown(model: nn.Module, pattern: str) -> str:
    last = _prefixes(model)[-1]
    known = [n.removeprefix(last) for n, _ in model.named_modules() if n.startswith(last)]
    near = difflib.get_close_matches(pattern, known, n=5, cutoff=0.5) or known[:8]
    return f"The network has no layer {pattern!r}. Near names: {', '.join(near)}."
