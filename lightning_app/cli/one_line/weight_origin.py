"""Origin of pretrained weights: whether they are at hand or can be downloaded."""

import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

from models.backbones.packaged_weights import has_package

HUB = "https://huggingface.co"
TORCHVISION = "https://download.pytorch.org"
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
SECONDS = 3.0  # to wait for a server


class Backbone(NamedTuple):
    """A backbone that a configuration names.

    Attributes:
        kind: Its class, without modules.
        name: Name of the network in its library.
        weights: A file of weights; empty for those of the library.
    """

    kind: str
    name: str
    weights: str


def origin_of_weights(backbone: Backbone) -> tuple[str, str]:
    """Where the pretrained weights of a backbone come from, or why there are none.

    A file comes first, then an earlier download, the server of the library, and a package that has
    them. `TimmBackbone` looks for them in the same order.

    Returns:
        The origin and an empty text; or an empty text and the reason.
    """
    if backbone.weights:
        return backbone.weights, ""
    if backbone.kind not in ("TimmBackbone", "TorchvisionBackbone"):
        return "", f"there are no pretrained weights for a {backbone.kind}"
    of_timm = backbone.kind == "TimmBackbone"
    if _timm_is_cached(backbone.name) if of_timm else _torchvision_is_cached(backbone.name):
        return "an earlier download", ""
    server = HUB if of_timm else TORCHVISION
    if can_be_reached(server):
        return server.removeprefix("https://"), ""
    if of_timm and has_package(backbone.name):
        return "a package that is installed", ""
    host = server.removeprefix("https://")
    return "", f"no weights of {backbone.name} are here, and {host} cannot be reached"


def can_be_reached(server: str) -> bool:
    """Whether a server answers, unless the environment says that there is no network."""
    if any(os.environ.get(name, "0").lower() not in ("", "0", "false") for name in OFFLINE):
        return False
    try:
        with urllib.request.urlopen(urllib.request.Request(server, method="HEAD"), timeout=SECONDS):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500  # it answers, though not to this question
    except (OSError, ValueError):
        return False


def _timm_is_cached(name: str) -> bool:
    import timm
    from huggingface_hub import try_to_load_from_cache

    config = timm.get_pretrained_cfg(name)
    if config is None or not config.hf_hub_id:
        return False
    files = (config.hf_hub_filename or "model.safetensors", "pytorch_model.bin")
    return any(isinstance(try_to_load_from_cache(config.hf_hub_id, file), str) for file in files)


def _torchvision_is_cached(name: str) -> bool:
    import torch
    import torchvision

    try:
        weights = torchvision.models.get_model_weights(name)["DEFAULT"]
    except (KeyError, ValueError):  # a misspelt name, which the backbone reports
        return False
    return (Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name).is_file()
