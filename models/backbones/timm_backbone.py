"""Timm backbone: any network of timm, without its classifier."""

import difflib
import inspect
import warnings
from pathlib import Path
from typing import Any

import timm
import torch
from lightning.pytorch.utilities import rank_zero_info
from timm.models import group_parameters
from torch import Tensor, nn

from models.backbones.backbone import Backbone, Normalize
from models.backbones.packaged_weights import (
    PACKAGES,
    check_reachable,
    has_package,
    packaged_weights,
)
from models.backbones.stages import groups_of_children, named_stages
from models.backbones.weight_files import read_weights
from models.backbones.weights import downloading, load_weights


class TimmBackbone(Backbone):
    """A timm network by name, with the mean and standard deviation of its weights.

    Args:
        name: Name in timm, with or without a tag: `resnet18`, `vit_tiny_patch16_224.augreg_in21k`.
        pretrained: Download timm's weights; those of `tf_efficientnet_lite0` are taken from a
            Python package if that is impossible.
        weights: File of weights to load instead, without the classifier in it. Timm converts names
            and position embeddings of another image size.
        allow: Patterns of the names, such as `blocks.11.*`, of tensors that may differ between file
            and network.
        num_channels: 1 for grey images, 3 for colour; pretrained weights are adapted.
        image_size: Side of the images in pixels, for networks that are built for one size, such as
            ViT and Swin; None for that of the weights. The command line takes it from the data.

    Raises:
        ValueError: If timm has no network or weights of this name, or the file does not fit.
        ConnectionError: If the weights cannot be downloaded; the message says from where to fetch
            them.
    """

    def __init__(
        self,
        name: str,
        pretrained: bool = False,
        weights: Path | None = None,
        allow: tuple[str, ...] = (),
        num_channels: int = 3,
        image_size: int | None = None,
    ) -> None:
        super().__init__()
        if not timm.is_model(name):
            near = difflib.get_close_matches(name, timm.list_models(), n=5)
            hint = f"; near names: {', '.join(near)}" if near else ""
            raise ValueError(f"timm has no network {name!r}{hint}. `timm.list_models()` lists all.")
        if name.split(".")[0] not in timm.list_models():
            raise ValueError(_renamed(name))
        options = _options(name, image_size)
        options |= {"num_classes": 0, "in_chans": num_channels}
        self.pretrained = pretrained or weights is not None
        if pretrained and weights is None:
            self.network: Any = _pretrained(name, options)
        else:
            self.network = timm.create_model(name, **options)
        config = self.network.pretrained_cfg
        if weights is not None:
            state = converted(read_weights(weights, self.network.state_dict()), self.network)
            load_weights(
                self.network, state, str(weights), _listed(config.get("classifier")), allow
            )
        self.normalize = Normalize(config["mean"], config["std"], num_channels)
        self.num_features = self.network.head_hidden_size

    def forward(self, images: Tensor) -> Tensor:
        """See `Backbone`."""
        return self.network(self.normalize(images))

    def stages(self) -> dict[str, list[str]]:
        """The groups of timm, from the stem to the last block."""
        return named_stages(self.network, _groups(self.network), prefix="network.")


def _options(name: str, image_size: int | None) -> dict[str, Any]:
    """Options of timm for the image size; none for a network that takes any size."""
    config = timm.get_pretrained_cfg(name)
    if image_size is None or config is None or not config.fixed_input_size:
        return {}
    return {} if image_size == config.input_size[-1] else {"img_size": image_size}


def _renamed(name: str) -> str:
    """Message about an old name, for which timm silently builds another network."""
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config: Any = timm.create_model(name).pretrained_cfg
    current = f"{config['architecture']}.{config['tag']}".rstrip(".")
    return f"timm has no network {name!r} any more: for this name it builds {current}."


def _groups(network: Any) -> list[list[str]]:
    try:
        matcher = network.group_matcher(coarse=True)
    except (AttributeError, AssertionError):  # of MetaFormer, PiT and RDNet
        return groups_of_children(network)
    return [names for names in group_parameters(network, matcher).values() if names]


def _pretrained(name: str, options: dict[str, Any]) -> nn.Module:
    """The network with timm's weights, or with those of a package if they cannot be downloaded."""
    source, packaged = _source(name), has_package(name)
    try:
        with downloading(source):
            if packaged:
                check_reachable(source)
            network = timm.create_model(name, pretrained=True, **options)
    except ConnectionError:
        if not packaged:
            raise
        network = timm.create_model(name, **options)
        package = PACKAGES[name.split(".")[0]].package
        load_weights(network, packaged_weights(name, network), package)
        rank_zero_info(f"Weights     of the package {package}, since {source} cannot be reached")
        return network
    rank_zero_info(f"Weights     of timm: {source}")
    return network


def _source(name: str) -> str:
    """Address of timm's weights.

    Raises:
        ValueError: If there are none.
    """
    config = timm.get_pretrained_cfg(name)
    if config is None or not (config.hf_hub_id or config.url):
        raise ValueError(f"timm has no weights of {name}. `pretrained: false` trains from scratch.")
    if config.hf_hub_id is None:
        return str(config.url)
    file = config.hf_hub_filename or "model.safetensors"
    return f"https://huggingface.co/{config.hf_hub_id}/resolve/main/{file}"


def converted(state: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Convert the tensors of a file as timm does: names of layers, sizes of position embeddings."""
    # By convention a function of this name in the module of the network; timm has no list of them.
    convert = getattr(inspect.getmodule(type(network)), "checkpoint_filter_fn", None)
    try:
        return state if convert is None else convert(dict(state), network)
    except (AssertionError, LookupError, RuntimeError, ValueError):
        return state  # of another network: what is missing is listed when it is loaded


def _listed(classifier: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (classifier,) if isinstance(classifier, str) else tuple(classifier or ())
