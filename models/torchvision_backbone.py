"""Any classification network of torchvision, without its classifier."""

import difflib
from pathlib import Path

import torchvision.models
from timm.models import adapt_input_conv
from torch import Tensor, nn

from models.backbone import Backbone, Normalize, stages_of_children
from models.weights import downloading, load_weights

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # what torchvision's weights were trained with
IMAGENET_STD = (0.229, 0.224, 0.225)
AUXILIARY = {"googlenet", "inception_v3"}  # have second classifiers, which nothing here trains


class TorchvisionBackbone(Backbone):
    """A torchvision network by name, its last linear or 1x1 convolution layer taken off.

    Args:
        name: Name in torchvision: `resnet18`, `squeezenet1_0`, `vgg16_bn`.
        pretrained: Download torchvision's default weights.
        weights: File of weights to load instead; a classifier in it is left out.
        num_channels: 1 for grey images, 3 for colour; pretrained weights are adapted.

    Raises:
        ValueError: If torchvision has no network of that name, or the file does not fit.
    """

    def __init__(
        self,
        name: str,
        pretrained: bool = False,
        weights: Path | None = None,
        num_channels: int = 3,
    ) -> None:
        super().__init__()
        known = torchvision.models.list_models(module=torchvision.models)
        if name not in known:
            near = difflib.get_close_matches(name, known, n=5)
            hint = f"; near names: {', '.join(near)}" if near else ""
            raise ValueError(f"torchvision has no classification network {name!r}{hint}.")
        options = {"aux_logits": False} if name in AUXILIARY else {}
        with downloading(f"the weights of {name}", "model.init_args.backbone.init_args.weights"):
            self.network = torchvision.models.get_model(
                name, weights="DEFAULT" if pretrained else None, **options
            )
        self.num_features = _remove_classifier(self.network)
        if weights is not None:
            load_weights(self.network, weights)
        if num_channels != 3:
            _adapt_first_convolution(self.network, num_channels)
        self.normalize = Normalize(IMAGENET_MEAN, IMAGENET_STD, num_channels)

    def forward(self, images: Tensor) -> Tensor:
        """See `Backbone`."""
        return self.network(self.normalize(images))

    def stages(self) -> dict[str, list[str]]:
        """The network's children; where nearly all is in one of them, that one's children."""
        stages = stages_of_children(self.network, prefix="network.")
        if "features" in stages:
            inner = stages_of_children(
                self.network.get_submodule("features"), prefix="network.features."
            )
            features = {f"features.{name}": names for name, names in inner.items()}
            stages = features | {n: names for n, names in stages.items() if n != "features"}
        covered = {name for names in stages.values() for name in names}
        bare = [name for name, _ in self.named_parameters() if name not in covered]
        return {"stem": bare, **stages} if bare else stages


def _remove_classifier(network: nn.Module) -> int:
    """Replace the last layer by the identity, and return how many features it took."""
    name, layer = [
        (name, module)
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
    ][-1]
    network.set_submodule(name, nn.Identity())
    return layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels


def _adapt_first_convolution(network: nn.Module, num_channels: int) -> None:
    """Make the first convolution take `num_channels`; for grey, its RGB weights are summed."""
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
