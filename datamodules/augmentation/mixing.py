"""MixUp and CutMix on the device; what is drawn depends only on a seed."""

import torch
from torch import Tensor
from torchvision.transforms.v2 import CutMix, MixUp, RandomChoice


class Mixing:
    """Mixes the images of a batch with one another, and their labels in the same proportion.

    Args:
        mixup: Parameter of the Beta distribution of MixUp's proportions; 0 for none.
        cutmix: Parameter of the Beta distribution of CutMix's areas; 0 for none.
        num_classes: Number of classes.
    """

    def __init__(self, mixup: float, cutmix: float, num_classes: int) -> None:
        kinds = [
            kind(alpha=alpha, num_classes=num_classes)
            for kind, alpha in ((MixUp, mixup), (CutMix, cutmix))
            if alpha > 0
        ]
        self.mix = RandomChoice(kinds) if kinds else None

    def __call__(self, images: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Mix a batch; the result depends only on the batch and the seed.

        Args:
            images: Float, (N, C, H, W).
            labels: Class indices, (N,).
            seed: Another seed gives another mixture.

        Returns:
            Images, and the share of each class in them, (N, num_classes); both unchanged if there
            is neither MixUp nor CutMix.
        """
        if self.mix is None:
            return images, labels
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # `torch.manual_seed` costs a millisecond
            return self.mix(images, labels)
