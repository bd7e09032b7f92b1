"""Recorder of a network's outputs: keeps those of the last validation, test or prediction."""

from typing import Any, NamedTuple

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from callbacks.trainer_parts import data_of
from models.evaluation.predictions import Predictions

MAX_FEATURES = 2000  # images whose features are kept: as many as a map of them can show


class SampledFeatures(NamedTuple):
    """Inputs of the head for at most `MAX_FEATURES` images, evenly chosen.

    Attributes:
        values: (M, D), float32, on the CPU.
        rows: Rows of these images in the predictions, (M,).
    """

    values: Tensor
    rows: Tensor


class Outputs(NamedTuple):
    """Outputs of a network for the images of a split.

    Attributes:
        predictions: Predictions for each image once, in the order of the images.
        features: Features of some images; None if the network returned none.
        similarity: Similarity of each image to those of the validation, (N,); None if the network
            returned none. See `models.evaluation.unknowns`.
    """

    predictions: Predictions
    features: SampledFeatures | None = None
    similarity: Tensor | None = None


class OutputRecorder(Callback):
    """Keeps the outputs of the last validation, test or prediction, for pictures and tables."""

    def __init__(self) -> None:
        self._clear()

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Drop the outputs of the last pass."""
        self._clear(len(data_of(trainer).sources["val"]))

    def on_test_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Drop the outputs of the last pass."""
        self._clear(len(data_of(trainer).sources["test"]))

    def on_predict_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Drop the outputs of the last pass."""
        self._clear()

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: list[Tensor],
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep a batch on its device: copying it to the CPU now would delay the next one."""
        _, labels, indices = batch
        self._logits.append(outputs["logits"])
        self._labels.append(labels)
        self._indices.append(indices)
        if (features := outputs.get("features")) is not None:
            # A mask would wait for the device, to know the size of its result.
            most = -(-len(indices) // self._stride)  # among consecutive images
            kept = (indices % self._stride).argsort(stable=True)[:most]
            self._features.append(features[kept])
            self._feature_indices.append(indices[kept])
        if (similarity := outputs.get("similarity")) is not None:
            self._similarity.append(similarity)

    on_test_batch_end = on_validation_batch_end
    on_predict_batch_end = on_validation_batch_end

    def gather(self, trainer: Trainer) -> Outputs | None:
        """Outputs of the last pass, from all processes; None if there was no pass.

        Every process has to call it, and the first one gets them: those of ImageNet's validation
        images take 200 MB.
        """
        if self._is_gathered:
            return self._gathered
        optional = [
            part or [torch.empty(0)]
            for part in (self._features, self._feature_indices, self._similarity)
        ]
        parts = [self._logits, self._labels, self._indices, *optional]
        # With fewer images than processes, a process may have no image.
        own = [torch.cat(part).cpu() for part in parts] if self._logits else None
        shares: list[Any] = [own]
        if trainer.world_size > 1:
            shares = [None] * trainer.world_size
            receiver = shares if trainer.is_global_zero else None
            torch.distributed.gather_object(own, receiver)
        self._is_gathered = own is not None or trainer.world_size > 1
        if filled := [share for share in shares if share is not None]:
            self._gathered = self._joined(filled)
        self._logits.clear()
        return self._gathered

    def _joined(self, shares: list[list[Tensor]]) -> Outputs:
        logits, labels, indices, features, kept, similarity = (
            torch.cat(list(share)) for share in zip(*shares, strict=True)
        )
        order = indices.argsort()
        predictions = Predictions(logits[order].float(), labels[order], indices[order])
        if features.ndim != 2:
            return Outputs(predictions)
        known = similarity[order].float() if len(similarity) == len(order) else None
        return Outputs(predictions, self._sampled(features, kept, predictions.indices), known)

    def _sampled(self, features: Tensor, kept: Tensor, indices: Tensor) -> SampledFeatures:
        """The features of every `_stride`-th image, in the order of the images."""
        kept = kept.long()  # a process without features gives none, as floats
        chosen = (kept % self._stride == 0).nonzero().flatten()
        chosen = chosen[kept[chosen].argsort()]
        return SampledFeatures(features[chosen].float(), torch.searchsorted(indices, kept[chosen]))

    def _clear(self, num_images: int = 0) -> None:
        self._stride = max(1, -(-num_images // MAX_FEATURES))
        self._logits: list[Tensor] = []
        self._labels: list[Tensor] = []
        self._indices: list[Tensor] = []
        self._features: list[Tensor] = []
        self._feature_indices: list[Tensor] = []
        self._similarity: list[Tensor] = []
        self._gathered: Outputs | None = None
        self._is_gathered = False
