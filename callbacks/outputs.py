"""What the network said of each image, kept from the pass that was made anyway."""

from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from callbacks.trainer_parts import data_of

MAX_FEATURES = 2000  # images whose features are kept: as many as a map of them can show


@dataclass(frozen=True, eq=False)
class Outputs:
    """What the network said of the images of a split, each of them once, in their order.

    Attributes:
        logits: (N, K), float32, on the CPU.
        labels: True classes, (N,); -1 where they are not known.
        indices: Place of each image in its source, (N,): `sources[split].names[index]` names it.
        features: What the head was given, (M, D), of at most `MAX_FEATURES` images, evenly chosen.
        featured: Their rows in `logits`, (M,).
    """

    logits: Tensor
    labels: Tensor
    indices: Tensor
    features: Tensor
    featured: Tensor


class OutputRecorder(Callback):
    """Keeps the outputs of the last validation, test or prediction for those who ask."""

    def __init__(self) -> None:
        self._clear()

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget the last pass."""
        self._clear(len(data_of(trainer).sources["val"]))

    def on_test_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget the last pass."""
        self._clear(len(data_of(trainer).sources["test"]))

    def on_predict_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget the last pass."""
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
        """Keep a batch where it is: to fetch it from its device now would hold up the next."""
        _, labels, indices = batch
        self._logits.append(outputs["logits"])
        self._labels.append(labels)
        self._indices.append(indices)
        if (features := outputs.get("features")) is not None:
            self._features.append(features[indices % self._stride == 0])

    on_test_batch_end = on_validation_batch_end
    on_predict_batch_end = on_validation_batch_end

    def gather(self, trainer: Trainer) -> Outputs | None:
        """The outputs of the last pass in all processes; None if there was none.

        All processes have to call it.
        """
        if self._gathered is not None:
            return self._gathered
        parts = [self._logits, self._labels, self._indices, self._features or [torch.empty(0)]]
        # A process may have had no image, if there are fewer images than processes.
        own = [torch.cat(part).cpu() for part in parts] if self._logits else None
        shares: list[Any] = [own]
        if trainer.world_size > 1:
            shares = [None] * trainer.world_size
            torch.distributed.all_gather_object(shares, own)
        if filled := [share for share in shares if share is not None]:
            self._gathered = self._joined(filled)
            self._logits.clear()
        return self._gathered

    def _joined(self, shares: list[list[Tensor]]) -> Outputs:
        logits, labels, indices, features = (torch.cat(list(s)) for s in zip(*shares, strict=True))
        order = indices.argsort()
        indices = indices[order]
        featured = (indices % self._stride == 0).nonzero().flatten()
        # The processes hold consecutive images, so the features are in order already.
        return Outputs(logits[order].float(), labels[order], indices, features.float(), featured)

    def _clear(self, num_images: int = 0) -> None:
        self._stride = max(1, -(-num_images // MAX_FEATURES))
        self._logits: list[Tensor] = []
        self._labels: list[Tensor] = []
        self._indices: list[Tensor] = []
        self._features: list[Tensor] = []
        self._gathered: Outputs | None = None
