"""A network of timm or torchvision by name, with its classifier."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal, NamedTuple

import timm
import torchvision.models
from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset
from torch import Tensor, nn

from lightning_app.cli.errors.possible_names import suggest_names
from lightning_app.commands.explain.network import Network, Normalized
from models.backbones.backbone import Normalize
from models.backbones.timm_backbone import converted
from models.backbones.torchvision_backbone import (
    AUXILIARY,
    IMAGENET_MEAN,
    IMAGENET_STD,
    with_current_names,
)
from models.backbones.weight_files import read_weights
from models.backbones.weights import downloading, load_weights

Library = Literal["timm", "torchvision"]
OPTION = "--weights"  # what names a file of weights in this command
NUM_CHANNELS = 3  # of the images that all of them are trained on


class Named(NamedTuple):
    """A network as its library has it.

    Attributes:
        network: Without weights, or with those of the library.
        mean: What its weights expect to be subtracted from images in [0, 1].
        std: What they expect these to be divided by.
        image_size: Side of the images that it was made for.
        class_names: Of the library's weights.
    """

    network: Any
    mean: tuple[float, ...]
    std: tuple[float, ...]
    image_size: int
    class_names: tuple[str, ...]


def library_network(
    name: str,
    library: Library,
    weights: Path | None = None,
    allow: Sequence[str] = (),
    image_size: int | None = None,
) -> Network:
    """Build a network with weights from a file, or with those of its library.

    Args:
        name: What the library calls it.
        library: Which one.
        weights: File of weights; None downloads the library's. How many classes there are follows
            from it.
        allow: Patterns of names of tensors in which file and network may differ.
        image_size: Side of the images in pixels; None for what the network was made for.

    Raises:
        ValueError: If there is no such network, or the weights do not fit.
        ConnectionError: If the weights cannot be downloaded.
    """
    build = _from_timm if library == "timm" else _from_torchvision
    named = build(name, weights is None, None, image_size)
    if weights is not None:
        state = _read(weights, named.network, library)
        if (num_classes := _num_classes(named.network, state)) is not None:
            named = build(name, False, num_classes, image_size)
        load_weights(named.network, state, str(weights), AUXILIARY.get(name, ()), allow)
    normalize = Normalize(named.mean, named.std, NUM_CHANNELS)
    count = _num_classes(named.network, named.network.state_dict()) or len(named.class_names)
    names = named.class_names
    if count != len(names):  # weights for other classes than the library's
        names = tuple(f"class {index}" for index in range(count))
    model, size = Normalized(normalize, named.network), image_size or named.image_size
    return Network(model, names, size, NUM_CHANNELS, f"{name} ({library})")


def _from_timm(
    name: str, pretrained: bool, num_classes: int | None, image_size: int | None
) -> Named:
    if not timm.is_model(name):
        elsewhere = name in torchvision.models.list_models(module=torchvision.models)
        other = " torchvision has one: --library torchvision." if elsewhere else ""
        raise ValueError(
            f"timm has no network {name!r}.{other or suggest_names(name, timm.list_models())}"
        )
    config = timm.get_pretrained_cfg(name)
    if pretrained and (config is None or not (config.hf_hub_id or config.url)):
        raise ValueError(f"timm has no weights of {name}: give a file with --weights FILE.")
    options: dict[str, Any] = {} if num_classes is None else {"num_classes": num_classes}
    if image_size is not None and config is not None and config.fixed_input_size:
        options["img_size"] = image_size
    with downloading(f"timm's weights of {name}", OPTION) if pretrained else nullcontext():
        network: Any = timm.create_model(name, pretrained=pretrained, **options)
    settings = network.pretrained_cfg
    subset = infer_imagenet_subset(network)
    names = ImageNetInfo(subset).label_descriptions() if subset else ()
    size = settings["input_size"][-1]
    return Named(network, settings["mean"], settings["std"], size, tuple(map(_first, names)))


def _from_torchvision(
    name: str, pretrained: bool, num_classes: int | None, image_size: int | None
) -> Named:
    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known:
        other = (
            " timm has one: --library timm." if timm.is_model(name) else suggest_names(name, known)
        )
        raise ValueError(f"torchvision has no classification network {name!r}.{other}")
    options: dict[str, Any] = {} if num_classes is None else {"num_classes": num_classes}
    if name in AUXILIARY:
        options |= {"aux_logits": False, "init_weights": False}
    if image_size is not None and name.startswith("vit_"):
        options["image_size"] = image_size
    network = torchvision.models.get_model(name, weights=None, **options)
    weights = torchvision.models.get_model_weights(name)["DEFAULT"]
    if pretrained:
        with downloading(weights.url, OPTION):
            state = weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
        load_weights(network, with_current_names(state), name, AUXILIARY.get(name, ()))
    half = ((0.5,) * 3, (0.5,) * 3)
    mean, std = half if name in AUXILIARY else (IMAGENET_MEAN, IMAGENET_STD)
    size = weights.transforms().crop_size[0]
    return Named(network, mean, std, size, tuple(weights.meta["categories"]))


def _read(file: Path, network: nn.Module, library: Library) -> dict[str, Tensor]:
    state = read_weights(file, network.state_dict())
    return converted(state, network) if library == "timm" else with_current_names(state)


def _num_classes(network: nn.Module, state: dict[str, Tensor]) -> int | None:
    """How many classes the weights are for; None if the last layer of the network is not there."""
    name = [n for n, m in network.named_modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1]
    weight = state.get(f"{name}.weight")
    return None if weight is None else len(weight)


def _first(names: str) -> str:
    """Of the names that ImageNet has for a class."""
    return names.split(",")[0]
