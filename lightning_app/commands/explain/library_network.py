"""Networks of timm or torchvision by name, with their classifiers."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import timm
import torchvision.models
from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset
from torch import Tensor, nn

from lightning_app.cli.errors.possible_names import suggest_names
from lightning_app.cli.networks.network import Network, Normalized
from lightning_app.commands.explain.options import Library
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

OPTION = "--weights"  # of this command, for a file of weights
NUM_CHANNELS = 3  # all of these networks are trained on RGB images


class LibraryNetwork(NamedTuple):
    """A network as its library builds it.

    Attributes:
        network: The network, with random weights or those of the library.
        mean: Mean of each channel that is subtracted from images in [0, 1].
        std: Standard deviation of each channel by which they are divided.
        image_size: Side of the images that it was made for, in pixels.
        class_names: Classes of the library's weights.
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
        name: Name of the network in its library.
        library: The library.
        weights: File of weights, which determines the number of classes; None downloads the
            library's.
        allow: Patterns of names of tensors that may differ between file and network.
        image_size: Side of the images in pixels; None for the size that the network was made for.

    Raises:
        ValueError: If there is no such network, or the weights do not fit.
        ConnectionError: If the weights cannot be downloaded.
    """
    build = _from_timm if library == "timm" else _from_torchvision
    built = build(name, weights is None, None, image_size)
    if weights is not None:
        state = _read(weights, built.network, library)
        if (num_classes := _num_classes(built.network, state)) is not None:
            built = build(name, False, num_classes, image_size)
        load_weights(built.network, state, str(weights), AUXILIARY.get(name, ()), allow)
    normalize = Normalize(built.mean, built.std, NUM_CHANNELS)
    count = _num_classes(built.network, built.network.state_dict()) or len(built.class_names)
    names = built.class_names
    if count != len(names):  # the weights are for other classes than the library's
        names = tuple(f"class {index}" for index in range(count))
    model, size = Normalized(normalize, built.network), image_size or built.image_size
    return Network(model, names, size, NUM_CHANNELS, f"{name} ({library})")


def _from_timm(
    name: str, pretrained: bool, num_classes: int | None, image_size: int | None
) -> LibraryNetwork:
    if not timm.is_model(name):
        elsewhere = name in torchvision.models.list_models(module=torchvision.models)
        other = " torchvision has one: --library torchvision." if elsewhere else ""
        raise ValueError(
            f"timm has no network {name!r}.{other or suggest_names(name, timm.list_models())}"
        )
    config = timm.get_pretrained_cfg(name)
    if pretrained and (config is None or not (config.hf_hub_id or config.url)):
        raise ValueError(f"timm has no weights of {name}; use a file: --weights FILE.")
    options: dict[str, Any] = {} if num_classes is None else {"num_classes": num_classes}
    if image_size is not None and config is not None and config.fixed_input_size:
        options["img_size"] = image_size
    with downloading(f"timm's weights of {name}", OPTION) if pretrained else nullcontext():
        network: Any = timm.create_model(name, pretrained=pretrained, **options)
    settings = network.pretrained_cfg
    subset = infer_imagenet_subset(network)
    names = ImageNetInfo(subset).label_descriptions() if subset else ()
    size = settings["input_size"][-1]
    return LibraryNetwork(
        network, settings["mean"], settings["std"], size, tuple(map(_first, names))
    )


def _from_torchvision(
    name: str, pretrained: bool, num_classes: int | None, image_size: int | None
) -> LibraryNetwork:
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
    return LibraryNetwork(network, mean, std, size, tuple(weights.meta["categories"]))


def _read(file: Path, network: nn.Module, library: Library) -> dict[str, Tensor]:
    state = read_weights(file, network.state_dict())
    return converted(state, network) if library == "timm" else with_current_names(state)


def _num_classes(network: nn.Module, state: dict[str, Tensor]) -> int | None:
    """Number of classes of the weights; None if they lack the last layer of the network."""
    name = [n for n, m in network.named_modules() if isinstance(m, nn.Linear | nn.Conv2d)][-1]
    weight = state.get(f"{name}.weight")
    return None if weight is None else len(weight)


def _first(names: str) -> str:
    """The first of the names that ImageNet has for a class."""
    return names.split(",")[0]
