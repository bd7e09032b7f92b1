"""How many wrong labels each method finds: training dynamics, leave one out, folds.

    uv run python benchmarks/label_errors.py digits [--seeds 3]
    uv run python benchmarks/label_errors.py simpsons FOLDER WEIGHTS

`digits`: 5 % of the labels of 1,797 digits are replaced. The rows give the precision among
as many of the most suspicious images as there are wrong labels, and among half as many. `simpsons`:
FOLDER holds `train/` and `known_label_errors.csv`. The rows give the ranks of the known errors, for
a SqueezeNet with the ImageNet weights in the file WEIGHTS.

Methods: the mean probability of the label over the epochs, the area under the margin, leave one
out on the features of the network before and after training, and networks that are fine-tuned
without the image (5 folds).
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from results import Row, options_of, publish
from torch import Tensor

from callbacks import DynamicsRecorder, HeadStart
from datamodules import DigitsDataModule, ImageDataModule, ImageFolderDataModule, SplitSettings
from models import CosineDecay, ImageClassifier, SmallCNN, TorchvisionBackbone
from models.evaluation.label_errors import FeatureRows, LeaveOneOut, gather_features

LEFT_OUT = "compares precision, for minutes"
FLIPPED, FOLDS = 0.05, 5
MakeData = Callable[[], ImageDataModule]
MakeModel = Callable[[int], ImageClassifier]


def train(
    model: ImageClassifier, data: ImageDataModule, epochs: int, *callbacks: Callback
) -> Trainer:
    """Train a network as `fit` does."""
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        callbacks=[*callbacks],
        limit_val_batches=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    trainer.fit(model, data)
    return trainer


def suspicions(
    make_data: MakeData, make_model: MakeModel, labels: np.ndarray, epochs: int, head: bool
) -> dict[str, Tensor]:
    """A score of each training image by each method; the lowest is the most suspicious."""

    def data_of(rows: np.ndarray) -> ImageDataModule:
        data = make_data()
        source = replace(data.sources["train"], labels=labels)
        data.sources["train"] = source.subset(rows)
        return data

    start = [HeadStart()] if head else []
    everything, given = np.arange(len(labels)), torch.from_numpy(labels)
    seed_everything(0, verbose=False)
    data, recorder = data_of(everything), DynamicsRecorder()
    model = make_model(data.num_classes)
    scores = {"leave one out, network as built": _left_out(model, data, given, corners=True)}
    trainer = train(model, data, epochs, recorder, *start)
    found = recorder.result(trainer)
    assert found is not None
    scores |= {"mean over the epochs": found.mean, "area under the margin": found.margin}
    scores["leave one out, trained network"] = _left_out(model, data, given, corners=False)
    folds = np.random.default_rng(0).permutation(len(labels)) % FOLDS
    outside = torch.zeros(len(labels), dtype=torch.float64)
    for fold in range(FOLDS):
        seed_everything(fold, verbose=False)
        inside = data_of(np.flatnonzero(folds != fold))
        model = make_model(inside.num_classes)
        train(model, inside, epochs, *start)
        rows = np.flatnonzero(folds == fold)
        outside[rows] = _of_labels(model, data, rows, given)
    return scores | {"fine-tuned folds": outside}


def _left_out(
    model: ImageClassifier, data: ImageDataModule, labels: Tensor, corners: bool
) -> Tensor:
    batches = data.plain_batches("train", range(len(labels)))
    features, own, indices = gather_features(model.backbone.eval(), batches, corners)
    found = LeaveOneOut(FeatureRows([features]), own, data.num_classes).table()
    scores = torch.zeros(len(labels))
    scores[indices] = found.gather(1, own[:, None])[:, 0]
    model.train()
    return scores


@torch.no_grad()
def _of_labels(
    model: LightningModule, data: ImageDataModule, rows: np.ndarray, labels: Tensor
) -> Tensor:
    model.eval()
    batches = data.plain_batches("train", rows.tolist())
    found = torch.cat([model(images).double().softmax(dim=1) for images, *_ in batches])
    return found.gather(1, labels[rows][:, None])[:, 0]


def digits(num_seeds: int) -> Iterator[Row]:
    """The precision for flipped labels, of several seeds."""

    def make_data() -> ImageDataModule:
        return DigitsDataModule(image_size=32, split=SplitSettings(val=0.01, test=0))

    def make_model(num_classes: int) -> ImageClassifier:
        def optimizer(parameters: Any) -> torch.optim.Optimizer:
            return torch.optim.AdamW(parameters, lr=3e-3, weight_decay=0.05, fused=True)

        return ImageClassifier(
            SmallCNN(1, 32), num_classes, optimizer=optimizer, lr_scheduler=CosineDecay()
        )

    for seed in range(num_seeds):
        draws, labels = np.random.default_rng(seed), make_data().sources["train"].labels.copy()
        wrong = draws.choice(len(labels), round(FLIPPED * len(labels)), replace=False)
        labels[wrong] = (labels[wrong] + draws.integers(1, 10, len(wrong))) % 10
        for name, score in suspicions(make_data, make_model, labels, 15, head=False).items():
            order = score.argsort(stable=True).numpy()
            shares = [np.isin(order[:k], wrong).mean() for k in (len(wrong) // 2, len(wrong))]
            yield {"seed": seed, "method": name, "of half as many": shares[0], "of all": shares[1]}


def simpsons(folder: Path, weights: Path) -> Iterator[Row]:
    """The ranks of the known errors."""

    def make_data() -> ImageDataModule:
        split = SplitSettings(val_per_class=1, test=0)
        size, where = 96, folder / "train"
        data = ImageFolderDataModule(where, image_size=size, split=split, num_workers=0)
        data.sources["train"] = data.load()["train"]
        return data

    def make_model(num_classes: int) -> ImageClassifier:
        def optimizer(parameters: Any) -> torch.optim.Optimizer:
            return torch.optim.AdamW(parameters, lr=2e-4, weight_decay=0.05)

        backbone = TorchvisionBackbone("squeezenet1_0", weights=weights)
        return ImageClassifier(
            backbone, num_classes, optimizer=optimizer, lr_scheduler=CosineDecay()
        )

    source = make_data().sources["train"]
    with (folder / "known_label_errors.csv").open() as file:
        rows = [row for row in csv.DictReader(file)]
    wrong = [n for n, name in enumerate(source.names) if any(name in _path(row) for row in rows)]
    scores = suspicions(make_data, make_model, source.labels, 8, head=True)
    for name, score in scores.items():
        ranks = score.argsort(stable=True).argsort()[wrong] + 1
        yield {"method": name, "ranks": sorted(ranks.tolist()), "of": len(source)}


def _path(row: dict[str, str]) -> str:
    return " ".join(row.values())


def main() -> None:
    """Publish a row per method, and per seed."""
    parser = options_of(__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("digits").add_argument("--seeds", type=int, default=3)
    images = kinds.add_parser("simpsons")
    images.add_argument("folder", type=Path)
    images.add_argument("weights", type=Path)
    options = parser.parse_args()
    if options.kind == "digits":
        rows = digits(options.seeds)
    else:
        rows = simpsons(options.folder, options.weights)
    publish("label_errors", [*rows], options.out)


if __name__ == "__main__":
    main()
