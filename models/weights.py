"""Load weights from a file, whatever their file wraps them in."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

log = logging.getLogger(__name__)

WRAPPERS = ("state_dict", "model")  # keys under which training scripts store the state dict
PREFIXES = ("module.", "backbone.network.", "backbone.")  # DDP's, and those of our checkpoints
SHOWN = 5  # names listed in an error


def load_weights(network: nn.Module, file: Path) -> None:
    """Load a state dict into a network without classifier.

    Args:
        network: What to load into; its parameters decide what is used of the file.
        file: `.pth`, `.pt`, `.ckpt` or `.safetensors`; read without running code from it.

    Raises:
        ValueError: If the file is missing, or lacks a tensor of the network, or has one of
            another size. What the file has beyond the network is taken for the classifier.
    """
    if not file.is_file():
        raise ValueError(f"There is no file of weights at {file}.")
    state = _strip_prefixes(_read(file), network)
    own = network.state_dict()
    missing = [name for name in own if name not in state]
    if missing:
        raise ValueError(
            f"{file} lacks {len(missing)} of the network's {len(own)} tensors: {_some(missing)}. "
            f"It has {_some(list(state))}."
        )
    wrong = [name for name in own if own[name].shape != state[name].shape]
    if wrong:
        sizes = [f"{n} {tuple(state[n].shape)} for {tuple(own[n].shape)}" for n in wrong]
        raise ValueError(f"{file} has tensors of another size than the network: {_some(sizes)}.")
    left_out = [name for name in state if name not in own]
    if left_out:
        log.info("%s: left out %s, which the network has no place for.", file, _some(left_out))
    network.load_state_dict({name: state[name] for name in own})


@contextmanager
def downloading(what: str, option: str) -> Iterator[None]:
    """Turn the failure of a download into a message that says what to do.

    Raises:
        ConnectionError: If the network cannot be reached.
    """
    try:
        yield
    except (OSError, URLError, RuntimeError) as error:
        if not isinstance(error, OSError) and "download" not in str(error).lower():
            raise
        raise ConnectionError(
            f"Could not download {what}: {error}. Fetch the file on a machine with a network, "
            f"copy it here, and name it: --{option} FILE instead of `pretrained: true`."
        ) from error


def _read(file: Path) -> dict[str, Tensor]:
    if file.suffix == ".safetensors":
        return load_file(file)
    content: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    for wrapper in WRAPPERS:
        content = content.get(wrapper, content)
    return content


def _strip_prefixes(state: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Remove the wrapper's prefix, where the network's own names do not begin with it."""
    for prefix in PREFIXES:
        own = any(name.startswith(prefix) for name in network.state_dict())
        if not own and any(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
