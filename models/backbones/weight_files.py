"""Read weights from a file, whatever wraps them in it."""

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

# Keys under which training scripts store the state dict, the averaged one before the last one.
WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model_state")
WRAPPERS += ("model", "module")
# What damaged files make torch raise, which takes their bytes for commands, and safetensors.
UNREADABLE = (AssertionError, AttributeError, EOFError, LookupError, OSError, RuntimeError)
UNREADABLE += (TypeError, ValueError, struct.error, pickle.UnpicklingError, SafetensorError)
SHOWN = 5  # names listed in a message


def read_weights(file: Path, names: Collection[str]) -> dict[str, Tensor]:
    """Read a state dict, without what its wrappers put before the names.

    Args:
        file: `.safetensors`, or what `torch.save` writes; no code in it is run.
        names: Those of the network's tensors, to know what a wrapper added.

    Raises:
        ValueError: If there is no such file, it is damaged, it holds code, or it has no tensors.
    """
    if not file.is_file():
        raise ValueError(f"There is no file of weights at {file}.")
    state = _tensors(_read(file), file)
    prefix = _prefix(state, names)
    if not prefix:
        return state
    outside = [name for name in state if not name.startswith(prefix)]
    if outside:
        rank_zero_info(f"{file}: left out {listed(outside)}, which are not under {prefix}")
    return {n.removeprefix(prefix): tensor for n, tensor in state.items() if n.startswith(prefix)}


def listed(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _read(file: Path) -> Any:
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        # Many scripts store their options, which are plain values, as a namespace.
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(file, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        code = re.search(r"GLOBAL (\S+)", str(error))
        if code is None:
            raise ValueError(f"{file} is damaged, or no file of weights.") from error
        raise ValueError(
            f"{file} holds more than tensors: to read it, code of {code[1]} would have to run. If "
            "you trust the file, read it with `torch.load(FILE, weights_only=False)` and save the "
            "state dict of the network in it."
        ) from error


def _tensors(content: Any, file: Path) -> dict[str, Tensor]:
    for wrapper in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    found = list(content) if isinstance(content, dict) else []
    # In place, because torch keeps the versions of the names in an attribute of the dict.
    for name in found:
        if not isinstance(content[name], Tensor):
            del content[name]
    if not found or not content:
        holds = listed([str(key) for key in found]) or f"a {type(content).__name__}"
        raise ValueError(f"{file} should hold tensors by name, a state dict. It holds: {holds}.")
    return content


def _prefix(state: dict[str, Tensor], own: Collection[str]) -> str:
    """What wrappers put before the names: that under which most of the network's tensors are."""
    found: Counter[str] = Counter()
    for name in state:
        parts = name.split(".")
        for start in range(len(parts)):
            if ".".join(parts[start:]) in own:
                found["".join(f"{part}." for part in parts[:start])] += 1
    prefix, count = max(found.items(), key=lambda item: item[1], default=("", 0))
    # Less than half of them are alike by chance, as the norms of many blocks are.
    return prefix if 2 * count > len(own) else ""
