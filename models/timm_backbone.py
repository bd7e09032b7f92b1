"""Any network of timm, without its classifier."""

import difflib
from pathlib import Path
from typing import Any

import timm
from timm.models import group_parameters
from torch import Tensor

from models.backbone import Backbone, Normalize
from models.weights import downloading, load_weights


class TimmBackbone(Backbone):
    """A timm network by name, with the mean and standard deviation that its weights expect.

    Args:
        name: Name in timm, with or without a tag: `resnet18`, `vit_tiny_patch16_224.augreg_in21k`.
        pretrained: Download timm's weights.
        weights: File of weights to load instead; a classifier in it is left out.
        num_channels: 1 for grey images, 3 for colour; pretrained weights are adapted.
        image_size: Side of the images, for networks built for one size, as ViT and Swin are.

    Raises:
        ValueError: If timm has no network of that name, or the file does not fit the network.
    """

    def __init__(
        self,
        name: str,
        pretrained: bool = False,
        weights: Path | None = None,
        num_channels: int = 3,
        image_size: int | None = None,
    ) -> None:
        super().__init__()
        if not timm.is_model(name):
            near = difflib.get_close_matches(name, timm.list_models(), n=5)
            hint = f"; near names: {', '.join(near)}" if near else ""
            raise ValueError(f"timm has no network {name!r}{hint}. `timm.list_models()` names all.")
        options: dict[str, Any] = {} if image_size is None else {"img_size": image_size}
        with downloading(f"the weights of {name}", "model.init_args.backbone.init_args.weights"):
            self.network: Any = timm.create_model(
                name, pretrained=pretrained, num_classes=0, in_chans=num_channels, **options
            )
        if weights is not None:
            load_weights(self.network, weights)
        config = self.network.pretrained_cfg
        self.normalize = Normalize(config["mean"], config["std"], num_channels)
        self.num_features = self.network.head_hidden_size

    def forward(self, images: Tensor) -> Tensor:
        """See `Backbone`."""
        return self.network(self.normalize(images))

    def stages(self) -> dict[str, list[str]]:
        """The grouping of timm, from the stem to the last norm."""
        matcher = self.network.group_matcher(coarse=True)
        groups = [names for names in group_parameters(self.network, matcher).values() if names]
        return {
            _stage_name(names[0], [n for other in groups if other is not names for n in other]): [
                f"network.{name}" for name in names
            ]
            for names in groups
        }


def _stage_name(first: str, others: list[str]) -> str:
    """Shortest module path to a stage's first parameter that leads to no other stage."""
    parts = first.split(".")
    for length in range(1, len(parts)):
        path = ".".join(parts[:length])
        if not any(other.startswith(f"{path}.") for other in others):
            return path
    return first
