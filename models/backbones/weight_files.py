"""Weight files: read a state dict, whatever it is wrapped in."""

import argparse
import pickle
import re
import struct
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.utilities import rank_zero_info
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

# Keys under which training scripts store the state dict; averaged weights are preferred.
WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model_state")
WRAPPERS += ("model", "module")
# Errors of torch and safetensors about damaged files.
UNREADABLE = (AssertionError, AttributeError, EOFError, LookupError, OSError, RuntimeError)
UNREADABLE += (TypeError, ValueError, struct.error, pickle.UnpicklingError, SafetensorError)
SHOWN = 5  # names listed in a message


def read_weights(file: Path, names: Collection[str]) -> dict[str, Tensor]:
    """Read a state dict, and remove prefixes that wrappers added to the names.

    Args:
        file: `.safetensors`, or a file of `torch.save`, of which no code is run.
        names: Names of the network's tensors, to recognise prefixes.

    Raises:
        ValueError: If the file does not exist, is damaged, contains code, or has no tensors.
    """
    if not file.is_file():
        raise ValueError(f"The file of weights {file} does not exist.")
    state = _tensors(_read(file), file)
    prefix = _prefix(state, names)
    if not prefix:
        return state
    outside = [name for name in state if not name.startswith(prefix)]
    if outside:
        rank_zero_info(f"{file}: left out {listed(outside)}, which are not under {prefix}")
    return {n.removeprefix(prefix): tensor for n, tensor in state.items() if n.startswith(prefix)}


def listed(names: list[str]) -> str:
    """The first few names, and the number of the others."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _read(file: Path) -> Any:
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        # Many scripts store their options as a namespace of plain values.
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(file, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        code = re.search(r"GLOBAL (\S+)", str(error))
        if code is None:
            raise ValueError(f"{file} is damaged, or is not a file of weights.") from error
        raise ValueError(
            f"{file} contains more than tensors: reading it would run code of {code[1]}. If you "
            "trust the file, read it with `torch.load(FILE, weights_only=False)` and save the "
            "state dict of the network."
        ) from error


def _tensors(content: Any, file: Path) -> dict[str, Tensor]:
    for wrapper in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    found = list(content) if isinstance(content, dict) else []
    # In place, since torch stores the versions of the names in an attribute of the dict.
    for name in found:
        if not isinstance(content[name], Tensor):
            del content[name]
    if not found or not content:
        found_in = listed([str(key) for key in found]) or f"a {type(content).__name__}"
        raise ValueError(
            f"{file}: expected a state dict, that is, tensors by name; got {found_in}."
        )
    return content


def _prefix(state: dict[str, Tensor], own: Collection[str]) -> str:
    """Prefix that wrappers added: the one that most of the network's tensors have."""
    found: Counter[str] = Counter()
    for name in state:
        parts = name.split(".")
        for start in range(len(parts)):
            if ".".join(parts[start:]) in own:
                found["".join(f"{part}." for part in parts[:start])] += 1
    prefix, count = max(found.items(), key=lambda item: item[1], default=("", 0))
    # Fewer than half may match by chance, such as the norms of many blocks.
    return prefix if 2 * count > len(own) else ""
