"""Networks whose weights may be averaged: checked, loaded, scored on images new to all of them."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from datamodules import ImageDataModule
from datamodules.fixed_images import spread
from lightning_app.cli.networks.derived_run import splits_of_runs
from lightning_app.cli.networks.ensembles import HYPER_PARAMETERS, PARTS, check_fit
from lightning_app.cli.networks.exportable import Exportable
from lightning_app.store.checkpoints import read_checkpoint
from models.soup import Score, average, estimate_statistics, moved_norms

BATCH = 32
MOST = 2000  # training images on which the statistics of batch norms are estimated


class Candidates:
    """The networks of some runs, and the score of the mean of some of them.

    Args:
        sources: The networks.

    Raises:
        ValueError: If they have other architectures, classes or images.

    Attributes:
        model: A network of their architecture, whose weights are replaced.
        weights: The weights of each.
        checkpoint: The checkpoint of the first.
    """

    def __init__(self, sources: Sequence[Exportable]) -> None:
        check_fit(sources)
        self.sources = sources
        checkpoints = [read_checkpoint(source.file) for source in sources]
        for source, checkpoint in zip(sources, checkpoints, strict=True):
            _check_architecture(sources[0], checkpoints[0], source, checkpoint)
        self.checkpoint = checkpoints[0]
        self.weights = [dict(source.source.model.state_dict()) for source in sources]
        self.model: nn.Module = sources[0].source.model
        runs = [source.stored[1] for source in sources]
        splits = splits_of_runs(sources[0].stored[0], runs)
        self._unseen = set(splits.loc[splits["split"] == "val", "image"])

    @property
    def data(self) -> ImageDataModule:
        """The dataset of the first run.

        Raises:
            ValueError: If it cannot be read here.
        """
        return self.sources[0].require_data("A soup needs images of the run")

    def unseen(self) -> np.ndarray:
        """Places among the validation images that no network was trained on, (N,).

        Raises:
            ValueError: If there are none.
        """
        source = self.data.sources["val"]
        known = [name in self._unseen for name in source.names]
        found = np.flatnonzero(np.array(known, dtype=bool) & (source.labels >= 0))
        if not len(found):
            raise ValueError(
                "Every validation image was trained on by one of these networks, as they are of "
                "different folds. So nothing but the test images could tell which of them to "
                "average, and a test that has chosen is no test. Average all of them with "
                "--uniform, or runs of several seeds on one split."
            )
        return found

    def cook(self, places: Sequence[int]) -> dict[str, Tensor]:
        """The mean of the weights of some networks, with new statistics of batch norms."""
        own = [self.weights[place] for place in places]
        self.model.load_state_dict(average(own))
        if norms := moved_norms(self.model, own):
            images = (images for images, _ in self._batches("train", self._measured()))
            estimate_statistics(self.model, norms, images)
        return {name: value.clone() for name, value in self.model.state_dict().items()}

    def _measured(self) -> np.ndarray:
        """Training images for the statistics of batch norms: whole batches of mixed classes."""
        chosen = spread(self.data.sources["train"].labels, MOST)
        whole = len(chosen) // BATCH * BATCH or len(chosen)
        return np.random.default_rng(0).permutation(chosen)[:whole]

    def score(self, places: Sequence[int]) -> Score:
        """Accuracy and negative loss of the mean on the images that are new to all."""
        self.cook(places)
        correct, loss, number = 0, 0.0, 0
        with torch.inference_mode():
            for images, labels in self._batches("val", self.unseen()):
                logits = self.model(images)
                correct += int((logits.argmax(1) == labels).sum())
                loss += float(nn.functional.cross_entropy(logits, labels, reduction="sum"))
                number += len(labels)
        return correct / number, -loss / number

    def _batches(self, split: str, places: np.ndarray) -> Iterator[tuple[Tensor, Tensor]]:
        chosen = places.tolist()
        for start in range(0, len(chosen), BATCH):
            for images, labels, _ in self.data.plain_batches(split, chosen[start : start + BATCH]):
                yield images, labels


def _check_architecture(first: Exportable, mine: dict, other: Exportable, theirs: dict) -> None:
    """Refuse a network whose weights cannot be averaged with those of the first."""
    if first.source.class_names != other.source.class_names:
        raise ValueError(
            f"{first.title} and {other.title} have their classes in another order, so their "
            "weights cannot be averaged; an ensemble of them is possible."
        )
    shapes = [{k: v.shape for k, v in each["state_dict"].items()} for each in (mine, theirs)]
    parts = [{part: each[HYPER_PARAMETERS].get(part) for part in PARTS} for each in (mine, theirs)]
    built = [_without_origin(each) for each in parts]
    if shapes[0] != shapes[1] or built[0] != built[1]:
        raise ValueError(
            f"{first.title} and {other.title} have other architectures, so their weights cannot be "
            "averaged; an ensemble of them is possible."
        )


def _without_origin(parts: dict) -> dict:
    """Settings of backbone and head without where weights came from."""
    backbone = parts["backbone"] or {}
    kept = {
        name: value
        for name, value in (backbone.get("init_args") or {}).items()
        if name not in ("pretrained", "weights")
    }
    return {**parts, "backbone": {**backbone, "init_args": kept}}
