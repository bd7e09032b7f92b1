"""S0's twenty epochs with unfreezing: counts, compilations and memory at each boundary."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import yaml
from gpu_data import RepeatedImages
from gpu_fit import read_peak, start_peak
from gpu_machine import Settings
from lightning.pytorch import Callback, LightningModule, Trainer
from torch._dynamo.utils import counters

from callbacks import ProgressiveUnfreezing
from models import Head, ImageClassifier, SmallCNN, TorchvisionBackbone
from models.training_metrics import parameter_counts

CONFIG = Path(__file__).parents[1] / "configs" / "simpsons_resnet152.yaml"
# Trainable parameters from each boundary on, as published.
PUBLISHED = {
    0: 2_151_475,
    6: 17_116_211,
    8: 26_908_723,
    10: 36_963_379,
    12: 47_018_035,
    14: 57_730_099,
    16: 60_069_939,
    18: 60_285_747,
}
TINY = {0: "head", 1: "block3", 2: "all"}


class Boundaries(Callback):
    """Records what trains, what was compiled, and the memory of the epochs of a boundary."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to measure the epoch."""
        start_peak(pl_module.device.type)
        self._graphs = graphs()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Add a row, or add the epoch to that of its boundary."""
        count = int(parameter_counts(pl_module)["params/trainable"])
        peak, epoch = read_peak(pl_module.device.type), trainer.current_epoch
        if not self.rows or self.rows[-1]["trainable"] != count:
            self.rows.append({"from epoch": epoch, "trainable": count, "compilations": 0})
        row = self.rows[-1]
        row["compilations"] += graphs() - self._graphs
        row["epochs"] = epoch + 1 - row["from epoch"]
        row["peak GiB"] = None if peak is None else peak / 2**30


def graphs() -> int:
    """Number of graphs that were compiled so far."""
    return counters["stats"]["unique_graphs"]


def unfreezing(settings: Settings) -> Iterator[dict[str, Any]]:
    """A row per boundary; the counts have to be the published ones."""
    train_from, rates = schedule(settings.tiny)
    recorder = Boundaries()
    trainer = Trainer(
        accelerator=settings.accelerator,
        devices=1,
        precision="bf16-mixed",
        max_epochs=3 if settings.tiny else 20,
        limit_val_batches=0,
        callbacks=[ProgressiveUnfreezing(train_from, rates), recorder],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=settings.folder,
    )
    size, batch_size = (100, 50) if settings.tiny else (90, 30)
    data = RepeatedImages("memory", size, 4, num_classes=50, batch_size=batch_size, num_val=50)
    trainer.fit(classifier(settings.tiny), data)
    for row in recorder.rows:
        published = None if settings.tiny else PUBLISHED.get(row["from epoch"])
        equal = None if settings.tiny else published == row["trainable"]
        yield row | {"published": published, "equal": equal}


def schedule(tiny: bool) -> tuple[dict[int, str], dict[int, float]]:
    """The boundaries and learning rates of S0, or those of a tiny network."""
    if tiny:
        return TINY, {0: 1e-3}
    [callback] = yaml.safe_load(CONFIG.read_text())["trainer"]["callbacks"]
    return callback["init_args"]["train_from"], callback["init_args"]["learning_rate"]


def classifier(tiny: bool) -> ImageClassifier:
    """S0's network with random weights, whose graphs are recorded and not translated."""

    def head(num_features: int, num_classes: int) -> Head:
        return Head(
            num_features,
            num_classes,
            hidden=(1024,),
            norm="batch",
            activation="prelu",
            dropout=(0.0, 0.25),
            start="random",
        )

    return ImageClassifier(
        SmallCNN(4) if tiny else TorchvisionBackbone("resnet152"),
        50,
        head,
        optimizer=lambda groups: torch.optim.AdamW(groups, lr=1e-3, amsgrad=True),
        compile="eager",
    )
