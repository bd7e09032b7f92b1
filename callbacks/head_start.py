"""Head start: prepare the head on features of the training images, before the first step."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info

from callbacks.frozen_features import frozen_features
from callbacks.label_suspects import copy_groups
from callbacks.trainer_parts import classifier_of, data_of
from models import Head


class HeadStart(Callback):
    """Standardise the features, and fit the head to them, as `Head.start` says.

    It has to come before callbacks that copy the network. A fit that resumes needs none, since its
    checkpoint replaces the head.
    """

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Compute the features of the training images, or read them, and prepare the head."""
        classifier = classifier_of(pl_module)
        head: Any = classifier.head
        if stage != "fit" or not isinstance(head, Head):
            return
        start = head.start_for(classifier.backbone.pretrained)
        if start == "random":
            return
        data = data_of(trainer)
        classifier.backbone.to(trainer.strategy.root_device)
        features = frozen_features(data, classifier.backbone, "train")
        labels = torch.from_numpy(data.sources["train"].labels)
        rows = (features.isfinite().all(dim=1) & (labels >= 0)).nonzero().flatten()
        if start == "standardized":
            head.standardize.measure(features[rows])
            return
        copies = copy_groups(data.sources, {"train": rows})
        fitted = head.fit(features[rows], labels[rows], copies)
        rank_zero_info(
            f"Head        starts from a logistic regression on the features of {len(rows):,} "
            f"training images, accuracy {fitted:.3f} in cross-validation"
        )
