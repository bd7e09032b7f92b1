"""Layers: find them by name or pattern."""

import difflib
from collections.abc import Sequence
from fnmatch import fnmatchcase

from torch import nn

from models.explain.map_layout import NothingToShow

CONVOLUTIONS = "convolutions"


def find_layers(model: nn.Module, patterns: Sequence[str]) -> list[str]:
    """Full names of the layers that match a pattern, in the order of the network.

    Args:
        model: Any network.
        patterns: Names, or patterns such as `layer?.0.conv1`. The path of the modules that contain
            the network may be left out: `conv1` also matches `backbone.network.conv1`. The word
            `convolutions` matches all convolutions.

    Raises:
        ValueError: If a pattern matches no layer; near names are listed.
        NothingToShow: If the pattern is `convolutions` and there are none.
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
    """Full name of the only layer that matches a pattern; see `find_layers`.

    Raises:
        ValueError: If no layer matches, or several do.
    """
    names = find_layers(model, [pattern])
    if len(names) > 1:
        raise ValueError(
            f"Expected one layer, but {pattern!r} matches {len(names)}: {', '.join(names[:5])}."
        )
    return names[0]


def short_name(model: nn.Module, name: str) -> str:
    """Shortest name by which `find_layers` finds a layer, without a path that may be left out."""
    inner = [name.removeprefix(prefix) for prefix in _prefixes(model) if name.startswith(prefix)]
    short = [rest for rest in reversed(inner) if not rest[0].isdigit()]
    return next((rest for rest in short if _matching(model, rest) == [name]), name)


def _matching(model: nn.Module, pattern: str) -> list[str]:
    """Layers that match with the shortest prefix: `conv1` does not match `layer1.0.conv1`."""
    if pattern == CONVOLUTIONS:
        return [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    paths = [name for name, _ in model.named_modules() if name]
    for prefix in _prefixes(model):
        inner = [name for name in paths if name.startswith(prefix)]
        if names := [n for n in inner if fnmatchcase(n.removeprefix(prefix), pattern)]:
            return names
    return []


def _prefixes(model: nn.Module) -> list[str]:
    """Paths that may be left out, such as `backbone.` and `backbone.network.`."""
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
