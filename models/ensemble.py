"""Ensemble: several trained networks that answer as one, with the mean of their probabilities."""

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor, nn

from models.backbones.backbone import Backbone
from models.factories import HeadCallable
from models.head import Head


class Member(nn.Module):
    """A network of an ensemble: a backbone and its head.

    Args:
        backbone: Maps images in [0, 1] to features.
        num_classes: Number of logits.
        head: Builds the head, as for `ImageClassifier`.
        temperature: Divides its logits before probabilities are averaged (Guo et al., 2017).
        order: Its logit for each class of the ensemble; None if its classes have the same order.
    """

    def __init__(
        self,
        backbone: Backbone,
        num_classes: int,
        head: HeadCallable = Head,
        temperature: float = 1.0,
        order: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head(backbone.num_features, num_classes)
        self.num_classes = num_classes
        self.temperature, self.order = temperature, order

    def forward(self, images: Tensor) -> Tensor:
        """Map images in [0, 1], (N, C, H, W), to logits in the order of the ensemble, (N, K)."""
        logits = self.head(self.backbone(images))
        return logits if self.order is None else logits[:, list(self.order)]


class Ensemble(Backbone):
    """Networks whose probabilities are averaged (Hansen and Salamon, 1990).

    Its features are the logarithms of the mean probabilities: the logits of the classifier, whose
    head is `NoHead`. So all that takes a network takes an ensemble.

    Args:
        members: The networks, one or more, for images of one size.

    Raises:
        ValueError: If there is no network.
    """

    def __init__(self, members: list[Member]) -> None:
        super().__init__()
        if not members:
            raise ValueError("An ensemble needs one network or more.")
        self.members = nn.ModuleList(members)
        self.num_features = members[0].num_classes

    def forward(self, images: Tensor) -> Tensor:
        """Map images in [0, 1], (N, C, H, W), to the logarithms of probabilities, (N, K)."""
        scores = [(member(images) / member.temperature).log_softmax(1) for member in self.members]
        return torch.stack(scores).logsumexp(0) - log(len(scores))

    def stages(self) -> dict[str, list[str]]:
        """See `Backbone`; each network is a stage."""
        return {
            f"member{index}": [f"members.{index}.{name}" for name, _ in member.named_parameters()]
            for index, member in enumerate(self.members)
        }


class NoHead(nn.Identity):
    """Head of a backbone whose features are logits.

    Args:
        num_features: Number of features.
        num_classes: Number of logits.

    Raises:
        ValueError: If these differ.
    """

    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__()
        if num_features != num_classes:
            raise ValueError(f"Expected {num_classes} features, one per class, got {num_features}.")


def networks_of(model: nn.Module) -> Sequence[nn.Module]:
    """The networks of an ensemble, to explain one by one; of another model itself."""
    backbone = getattr(model, "backbone", None)
    return list(backbone.members) if isinstance(backbone, Ensemble) else [model]
