"""Corruption test: what noise, blur, weather and digital damage do to the accuracy."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor

from callbacks.figure_kind import FigureKind
from callbacks.inspection_mode import inspection_mode
from callbacks.plots.corruptions import plot_corrupted_image, plot_corruption_curves
from callbacks.tracking import log_figure, log_metric, log_table
from callbacks.trainer_parts import classifier_of, data_of
from models.evaluation.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from models.evaluation.wilson import wilson

MAX_IMAGES = 500
BATCH = 64


class CorruptionTest(Callback):
    """Tests a network on corrupted test images (Hendrycks and Dietterich, 2019), after its test.

    The metrics are `corrupted/…`, so that those of the test stay as they are: `accuracy`, the mean
    over all corruptions and strengths; `clean_accuracy` of the same images; `relative_loss`, the
    mean over the corruptions of the share of the clean accuracy that is lost; and the mean accuracy
    of each corruption. The first process alone computes them; test-time views are not used.

    Args:
        num_images: Images to corrupt at most, drawn at random.

    Raises:
        ValueError: If `num_images` is not positive.
    """

    kinds: ClassVar[tuple[FigureKind, ...]] = (
        FigureKind("corruptions", "errors"),
        FigureKind("corrupted_image", "errors"),
    )

    def __init__(self, num_images: int = MAX_IMAGES) -> None:
        if num_images < 1:
            raise ValueError(f"--corrupt is {num_images}; expected true, false, or 1 or more.")
        self.num_images = num_images
        self.renamed_splits: dict[str, str] = {}  # names in the run of splits that have others here

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Corrupt the images, and log the scores, tables and figures."""
        if not trainer.is_global_zero:
            return
        data, seed = data_of(trainer), int(os.environ.get("PL_GLOBAL_SEED", "0"))
        source = data.sources["test"]
        readable = (source.labels >= 0) & (data.unreadable("test").numpy() == 0)
        rows = np.random.default_rng(seed).permutation(np.flatnonzero(readable))
        rows = np.sort(rows[: self.num_images])
        if not len(rows):
            rank_zero_info("Corruptions none: no test image has a label.")
            return
        images = [source.read(int(row)) for row in rows]
        names = [source.names[row] for row in rows]
        labels = torch.from_numpy(source.labels[rows])
        with inspection_mode(pl_module), torch.no_grad():
            correct = self._correct(trainer, pl_module, images, names, labels, seed)
        digest = hashlib.sha256(repr((seed, names, labels.tolist())).encode()).hexdigest()[:8]
        self._log(trainer, correct, labels, digest)
        of_example = {
            name: np.stack([corrupt(images[0], name, s, _seed(seed, names[0])) for s in STRENGTHS])
            for name in CORRUPTIONS
        }
        title = f"A test image in all corruptions: {names[0]}"
        split = self.renamed_splits.get("test", "test")
        figure = plot_corrupted_image(images[0], of_example, title)
        log_figure(trainer, figure, f"{split}_corrupted_image")

    def _correct(
        self,
        trainer: Trainer,
        module: LightningModule,
        images: Sequence[np.ndarray],
        names: Sequence[str],
        labels: Tensor,
        seed: int,
    ) -> Tensor:
        """Whether each prediction is correct, (corruptions, clean and strengths, N)."""

        def scored(versions: Iterator[np.ndarray]) -> Tensor:
            predicted = []
            pixels = torch.from_numpy(np.stack([*versions])).movedim(-1, 1)
            for batch in pixels.split(BATCH):
                with trainer.precision_plugin.forward_context():
                    logits = model(batch.to(trainer.strategy.root_device).float() / 255)
                predicted.append(logits.argmax(dim=1).cpu())
            return torch.cat(predicted) == labels

        model = classifier_of(module)
        clean = scored(iter(images))
        seeds = [_seed(seed, name) for name in names]
        return torch.stack(
            [
                torch.stack(
                    [
                        clean,
                        *(
                            scored(corrupt(i, name, s, n) for i, n in zip(images, seeds))  # noqa: B905
                            for s in STRENGTHS
                        ),
                    ]
                )
                for name in CORRUPTIONS
            ]
        )

    def _log(self, trainer: Trainer, correct: Tensor, labels: Tensor, digest: str) -> None:
        split = self.renamed_splits.get("test", "test")
        prefix = split.replace("test", "corrupted")
        table = corruption_table(correct, digest)
        names = data_of(trainer).class_names
        log_table(trainer, table, f"corruptions_{split}")
        log_table(trainer, class_table(correct, labels, names), f"corruption_classes_{split}")
        scores = summary(correct)
        for name, value in scores.items():
            log_metric(trainer, f"{prefix}/{name}", value, trainer.current_epoch)
        text = (
            f"{correct.shape[2]:,} test images: accuracy {scores['clean_accuracy']:.1%} clean, "
            f"{scores['accuracy']:.1%} corrupted (mean relative loss {scores['relative_loss']:.1%})"
        )
        rank_zero_info(f"Corruptions {text}")
        curves = dict(zip(CORRUPTIONS, correct.double().mean(dim=2).tolist(), strict=True))
        title = f"Accuracy on corrupted images; grey: 95 % interval of the clean images\n{text}"
        interval = wilson(scores["clean_accuracy"], correct.shape[2])
        figure = plot_corruption_curves(curves, interval, title)
        log_figure(trainer, figure, f"{split}_corruptions")


def summary(correct: Tensor) -> dict[str, float]:
    """Scores over all corruptions, and the mean accuracy of each; see `CorruptionTest`.

    Args:
        correct: Whether each prediction is correct, (corruptions, clean and strengths, N).
    """
    accuracy = correct.double().mean(dim=2)
    clean, means = accuracy[0, 0].item(), accuracy[:, 1:].mean(dim=1)
    loss = (1 - means / clean).mean().item() if clean else float("nan")
    overall = {"accuracy": means.mean().item(), "clean_accuracy": clean, "relative_loss": loss}
    return overall | dict(zip(CORRUPTIONS, means.tolist(), strict=True))


def corruption_table(correct: Tensor, digest: str) -> dict[str, list[Any]]:
    """A row for the clean images, and one for each corruption and strength; intervals are Wilson's.

    Args:
        correct: See `summary`.
        digest: Tells the images and the seed.
    """
    number = correct.shape[2]
    keys = [("clean", "none", 0)] + [
        (kind.family, name, s) for name, kind in CORRUPTIONS.items() for s in STRENGTHS
    ]
    hits = [correct[0, 0].sum().item(), *correct[:, 1:].sum(dim=2).flatten().tolist()]
    shares = [hit / number for hit in hits]
    ends = [wilson(share, number) for share in shares]
    clean = shares[0] or float("nan")
    return {
        **dict(zip(("family", "corruption", "strength"), map(list, zip(*keys)), strict=True)),  # noqa: B905
        "images": [number] * len(hits),
        "accuracy": shares,
        "low": [low for low, _ in ends],
        "high": [high for _, high in ends],
        "relative_loss": [1 - share / clean for share in shares],
        "digest": [digest] * len(hits),
    }


def class_table(correct: Tensor, labels: Tensor, names: Sequence[str]) -> dict[str, list[Any]]:
    """Accuracy of the images of each class, clean and corrupted, and the worst corruption."""
    rows = []
    for k, name in enumerate(names):
        if not (of_class := labels == k).any():
            continue
        accuracy = correct[:, :, of_class].double().mean(dim=2)
        means = accuracy[:, 1:].mean(dim=1)
        worst = int(means.argmin())
        found = (int(of_class.sum()), accuracy[0, 0].item(), means.mean().item())
        rows.append((name, *found, [*CORRUPTIONS][worst], means[worst].item()))
    columns = ("class", "images", "clean_accuracy", "accuracy", "worst", "worst_accuracy")
    return dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))


def _seed(seed: int, name: str) -> int:
    """Seed of an image, which does not depend on the others."""
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode()).digest()[:4])
