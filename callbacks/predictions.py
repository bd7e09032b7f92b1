"""What the network said of each image, as a table."""

from dataclasses import dataclass

import pandas as pd
from lightning.pytorch import Callback, LightningModule, Trainer

from callbacks.outputs import OutputRecorder
from callbacks.run import data_of
from callbacks.tracking import log_text

UNLABELLED = -1  # label of an image whose class is not known


@dataclass(eq=False)
class PredictionWriter(Callback):
    """Log `predictions/test.csv` or `predictions/predict.csv`: a row an image, in their order.

    Columns are image, label (empty where it is not known), predicted and confidence, the softmax
    probability of the prediction. Under several processes the rows of all are gathered.

    Attributes:
        recorder: Keeps what the network said; it has to come before this callback.
    """

    recorder: OutputRecorder

    def on_test_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Store the table."""
        self._store(trainer, "test", split="test")

    def on_predict_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Store the table."""
        split = "predict" if "predict" in data_of(trainer).sources else "test"
        self._store(trainer, "predict", split)

    def _store(self, trainer: Trainer, name: str, split: str) -> None:
        said = self.recorder.gather(trainer)
        if said is None or not trainer.is_global_zero:
            return
        data = data_of(trainer)
        source = data.sources[split]
        names = {**dict(enumerate(data.class_names)), UNLABELLED: ""}
        confidence, predicted = said.logits.softmax(dim=1).max(dim=1)
        table = pd.DataFrame(
            {
                "image": [source.names[index] for index in said.indices],
                "label": [names[label] for label in said.labels.tolist()],
                "predicted": [names[guess] for guess in predicted.tolist()],
                "confidence": confidence.double().round(decimals=6).tolist(),
            }
        )
        log_text(trainer, table.to_csv(index=False), f"predictions/{name}.csv")
