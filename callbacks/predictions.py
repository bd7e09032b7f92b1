"""What the network said of each image, as a table."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from callbacks.run import data_of
from callbacks.tracking import log_text

UNLABELLED = -1  # label of an image whose class is not known


@dataclass(eq=False)
class PredictionWriter(Callback):
    """Log `predictions/test.csv` or `predictions/predict.csv`: a row an image, in their order.

    Columns are image, label (empty where it is not known), predicted and confidence, the softmax
    probability of the prediction. Under several processes the rows of all are gathered.
    """

    def on_test_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin a new table."""
        self._rows: list[tuple[int, int, float]] = []

    on_predict_epoch_start = on_test_epoch_start

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: list[Tensor],
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Add a batch."""
        confidence, predicted = outputs["logits"].float().softmax(dim=1).max(dim=1)
        columns = (batch[2], predicted, confidence)
        self._rows += zip(*(column.tolist() for column in columns), strict=True)

    on_predict_batch_end = on_test_batch_end

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Store the table."""
        self._store(trainer, "test", split="test")

    def on_predict_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Store the table."""
        split = "predict" if "predict" in data_of(trainer).sources else "test"
        self._store(trainer, "predict", split)

    def _store(self, trainer: Trainer, name: str, split: str) -> None:
        parts: list[Any] = [None] * trainer.world_size
        if trainer.world_size > 1:
            torch.distributed.all_gather_object(parts, self._rows)
        else:
            parts = [self._rows]
        data = data_of(trainer)
        source = data.sources[split]
        names = {**dict(enumerate(data.class_names)), UNLABELLED: ""}
        rows = sorted(row for part in parts for row in part)
        table = pd.DataFrame(
            {
                "image": [source.names[index] for index, _, _ in rows],
                "label": [names[source.labels[index]] for index, _, _ in rows],
                "predicted": [names[predicted] for _, predicted, _ in rows],
                "confidence": [round(confidence, 6) for _, _, confidence in rows],
            }
        )
        log_text(trainer, table.to_csv(index=False), f"predictions/{name}.csv")
