"""Frozen features: if nothing before the head trains, features are computed once."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor
from tqdm import tqdm

from callbacks.progressive_unfreezing import ProgressiveUnfreezing
from callbacks.trainer_parts import ImageData, classifier_of, data_of
from models import Backbone
from models.features import compute_features, weights_digest
from models.freezing import HEAD


class FrozenFeatures(Callback):
    """Train and validate on stored features if the backbone is frozen in the whole fit.

    This is so if `ProgressiveUnfreezing` trains the head alone, and there is a fixed number of
    versions of each image: no augmentation, or `data.options.augmentation_views`. The features are
    those in evaluation mode. Pictures and tests compute their own, from images.
    """

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Replace images by features, before the loaders are made."""
        data = data_of(trainer)
        if not (_is_frozen(trainer) and _has_fixed_images(data)):
            return
        backbone, started = classifier_of(pl_module).backbone, time.perf_counter()
        backbone.to(trainer.strategy.root_device)
        draws = range(data.options.augmentation_views) if data.augmentation else [None]
        views = [frozen_features(data, backbone, "train", draw) for draw in draws]
        features = {"train": torch.stack(views)}
        if "val" in data.sources:
            features["val"] = frozen_features(data, backbone, "val")[None]
        if not all(found.isfinite().all() for found in features.values()):
            return  # there are unreadable images, which loaders of images replace
        data.use_features(features)
        rank_zero_info(
            f"Features    of all images in {time.perf_counter() - started:.1f} s; the backbone is "
            "frozen, so they stay the same"
        )

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Let a later command with this datamodule load images."""
        if stage == "fit":
            data_of(trainer).use_features({})


def frozen_features(data: Any, backbone: Backbone, split: str, draw: int | None = None) -> Tensor:
    """Features of all images of a split as the backbone is now, (N, D), on the CPU.

    They are stored with the decoded images, by a digest of the weights and the images. NaN stands
    for an image that cannot be read.

    Args:
        data: The datamodule.
        backbone: The backbone, on the device that computes.
        split: Name of the split.
        draw: Which augmented version of the training images to take; None for the originals.
    """
    size = len(data.sources[split])

    def compute(batches: Iterator[Sequence[Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
        bar = tqdm(batches, f"features, {split}", -(-size // data.batch_size), delay=2, leave=False)
        yield torch.arange(size), compute_features(backbone, bar, size)

    stored = data.derived(split, f"features {weights_digest(backbone)}", compute, draw)
    return torch.from_numpy(np.array(stored))


def _is_frozen(trainer: Trainer) -> bool:
    """Whether the head alone trains in all epochs."""
    callbacks = trainer.callbacks  # pyright: ignore[reportAttributeAccessIssue]
    unfreezing = [c for c in callbacks if isinstance(c, ProgressiveUnfreezing)]
    return bool(unfreezing) and all({*c.boundaries.values()} == {HEAD} for c in unfreezing)


def _has_fixed_images(data: ImageData) -> bool:
    """Whether every epoch has the same training images, or takes turns with a few versions."""
    options = data.options
    fixed = not data.augmentation or options.augmentation_views > 0
    return fixed and not options.mixup and not options.cutmix
