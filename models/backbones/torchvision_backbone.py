"""Torchvision backbone: any classification network of torchvision, without its classifier."""

import difflib
import re
from pathlib import Path

import torchvision.models
from timm.models import adapt_input_conv
from torch import Tensor, nn

from models.backbones.backbone import Backbone, Normalize
from models.backbones.stages import groups_of_children, named_stages
from models.backbones.weight_files import read_weights
from models.backbones.weights import downloading, load_weights

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of torchvision's weights
IMAGENET_STD = (0.229, 0.224, 0.225)
# These have auxiliary classifiers, which are not trained here, and weights from TensorFlow, which
# expect a mean and standard deviation of 0.5 (torchvision's `transform_input`).
AUXILIARY = {"googlenet": ("aux1", "aux2"), "inception_v3": ("AuxLogits",)}
OLD_NAMES = {  # of layers of DenseNet and ViT, in torchvision's own files
    r"(denselayer\d+\.(?:norm|conv))\.(\d)\.": r"\1\2.",
    r"\.mlp\.linear_1\.": ".mlp.0.",
    r"\.mlp\.linear_2\.": ".mlp.3.",
}


class TorchvisionBackbone(Backbone):
    """A torchvision network by name, without its last linear layer or 1x1 convolution.

    Args:
        name: Name in torchvision: `resnet18`, `squeezenet1_0`, `vgg16_bn`.
        pretrained: Download torchvision's default weights.
        weights: File of weights to load instead, without the classifier in it.
        allow: Patterns of the names, such as `layer4.*`, of tensors that may differ between file
            and network.
        num_channels: 1 for grey images, 3 for colour; pretrained weights are adapted.

    Raises:
        ValueError: If torchvision has no network of this name, or the file does not fit.
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
    ) -> None:
        super().__init__()
        known = torchvision.models.list_models(module=torchvision.models)
        if name not in known:
            near = difflib.get_close_matches(name, known, n=5)
            hint = f"; near names: {', '.join(near)}" if near else ""
            raise ValueError(f"torchvision has no classification network {name!r}{hint}.")
        options = {"aux_logits": False, "init_weights": True} if name in AUXILIARY else {}
        self.network = torchvision.models.get_model(name, weights=None, **options)
        classifier, self.num_features = _remove_classifier(self.network)
        if num_channels != 3:
            _adapt_first_convolution(self.network, num_channels)
        if weights is not None or pretrained:
            state = _download(name) if weights is None else _read(weights, self.network)
            removed = (classifier, *AUXILIARY.get(name, ()))
            load_weights(self.network, state, str(weights or name), removed, allow)
            self.pretrained = True
        half = ((0.5,) * 3, (0.5,) * 3)
        mean, std = half if name in AUXILIARY else (IMAGENET_MEAN, IMAGENET_STD)
        self.normalize = Normalize(mean, std, num_channels)

    def forward(self, images: Tensor) -> Tensor:
        """See `Backbone`."""
        return self.network(self.normalize(images))

    def stages(self) -> dict[str, list[str]]:
        """The network's children, and those of its containers of stages, such as `features`."""
        return named_stages(self.network, groups_of_children(self.network), prefix="network.")


def _remove_classifier(network: nn.Module) -> tuple[str, int]:
    """Replace the last layer by the identity; return its name and its number of inputs."""
    name, layer = [
        (name, module)
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
    ][-1]
    network.set_submodule(name, nn.Identity())
    return name, layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels


def _adapt_first_convolution(network: nn.Module, num_channels: int) -> None:
    """Give the first convolution `num_channels` inputs; for grey images its weights are summed."""
    name, old = next(
        (name, module) for name, module in network.named_modules() if isinstance(module, nn.Conv2d)
    )
    new = nn.Conv2d(
        num_channels,
        old.out_channels,
        old.kernel_size,  # pyright: ignore[reportArgumentType]
        old.stride,  # pyright: ignore[reportArgumentType]
        old.padding,  # pyright: ignore[reportArgumentType]
        bias=old.bias is not None,
    )
    new.weight.data = adapt_input_conv(num_channels, old.weight.data)
    if old.bias is not None and new.bias is not None:
        new.bias.data = old.bias.data
    network.set_submodule(name, new)


def with_current_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename, in place, layers that have old names in torchvision's own files."""
    for old, new in OLD_NAMES.items():
        for name in [name for name in state if re.search(old, name)]:
            state[re.sub(old, new, name)] = state.pop(name)
    return state


def _download(name: str) -> dict[str, Tensor]:
    weights = torchvision.models.get_model_weights(name)["DEFAULT"]
    with downloading(weights.url):
        state = weights.get_state_dict(progress=True, check_hash=True, weights_only=True)
    return with_current_names(state)


def _read(file: Path, network: nn.Module) -> dict[str, Tensor]:
    return with_current_names(read_weights(file, network.state_dict()))
