"""Subject: how much of the evidence is on what boxes or masks call the subject."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from lightning.pytorch.utilities import rank_zero_info
from torch import Tensor

from callbacks.figure_kind import FigureKind
from callbacks.pictures.affordable import affordable
from callbacks.pictures.evidence import evidence_for
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, Table, When
from callbacks.plots.subject import plot_subject, sentences
from models.evaluation.predictions import Predictions
from models.evaluation.subject_scores import SubjectScore, subject_scores
from models.explain import NothingToShow
from models.explain.sanity_checks import area_of, maximum_inside, share_inside

MOST, FEWEST, LEAST = 200, 48, 8  # images: in all, of a large network, and to say anything
PASSES, SECONDS = 3, 20  # of each image, and of a typical device; see `models.explain.work`
NUM_SHOWN = 8


@dataclass(eq=False)
class SubjectEvidence(Picture):
    """Subject: share of the evidence for the prediction that lies inside a box or mask.

    By chance it is the share of the image that the subject covers. A class whose evidence is less
    inside than that, and not by chance, is named: the network looks elsewhere. The table `subject`
    has a row for each class; the metrics are `evidence_inside` and `pointing_game`, the share of
    the images whose strongest evidence is inside. It is drawn for manifests with columns of boxes
    or masks only.

    Attributes:
        when: See `Picture`.
        num_images: Images to explain, spread over the classes; None for 200, or fewer if the
            network is large, 48 at least.
    """

    name: ClassVar[str] = "subject"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("subject", "network"),)
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True
    costly: ClassVar[bool] = True

    when: When = "last"
    num_images: int | None = None

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        source = context.data.sources[context.split] if context.data else None
        if getattr(source, "subjects", None) is None:
            return
        wanted = self.num_images or affordable(context, PASSES, SECONDS, FEWEST, MOST)
        wanted = min(wanted, len(context.labelled_predictions))
        number = context.allowance.affordable(wanted, 1, LEAST)
        found = _explained(context, source, number)
        names = context.class_names
        scores = subject_scores(found.inside, found.hits, found.area, found.labels, names)
        for line in sentences(scores):
            rank_zero_info(f"Subject     {line}")
        count = context.allowance.counted(scores[0].images, wanted)
        worst = (found.inside - found.area).nan_to_num(nan=1).argsort()[:NUM_SHOWN]
        yield (
            self.name,
            plot_subject(
                found.images[worst].movedim(1, -1).numpy(),
                found.maps[worst].numpy(),
                found.masks[worst].numpy(),
                [_caption(found, row, names) for row in worst.tolist()],
                scores,
                f"Evidence and subject, {context.title}: {count}; "
                "above, those with the least evidence inside for the size of the subject",
            ),
        )
        yield "evidence_inside", scores[0].inside
        yield "pointing_game", scores[0].pointing
        yield self.name, _table(scores)


class _Explained(NamedTuple):
    """Images with a subject, their evidence, and where it is; N of each."""

    images: Tensor
    maps: Tensor
    masks: Tensor
    labels: Tensor
    predicted: Tensor
    inside: Tensor
    hits: Tensor
    area: Tensor


def _explained(context: PictureContext, source: Any, number: int) -> _Explained:
    """Explain labelled images whose subject is known."""
    predictions = context.labelled_predictions
    rows, masks = [], []
    for row in _in_turn(predictions):
        mask = source.subject(int(predictions.indices[row]))
        if mask is not None:
            rows.append(row)
            masks.append(torch.from_numpy(mask))
        if len(rows) == number:
            break
    if len(rows) < LEAST:
        raise NothingToShow(f"the subject of {LEAST} images or more must be known.")
    images = context.read(predictions.indices[rows].tolist())
    predicted, subjects = predictions.predicted[rows], torch.stack(masks)
    maps, _ = evidence_for(context, images, predicted)
    if maps is None or not (maps > 0).any():
        raise NothingToShow("the network has no feature map with evidence.")
    where = share_inside(maps, subjects), maximum_inside(maps, subjects), area_of(subjects)
    return _Explained(images, maps, subjects, predictions.labels[rows], predicted, *where)


def _in_turn(predictions: Predictions) -> list[int]:
    """Rows of the images, one of each class after another."""
    labels = predictions.labels.numpy()
    turns = np.zeros(len(labels), int)
    for label in np.unique(labels):
        own = labels == label
        turns[own] = np.arange(own.sum())
    return turns.argsort(kind="stable").tolist()


def _caption(found: _Explained, row: int, names: Sequence[str]) -> str:
    share = float(found.inside[row])
    inside = "no evidence" if np.isnan(share) else f"{100 * share:.0f} % inside"
    return f"{names[int(found.predicted[row])]}\n{inside}"


def _table(scores: Sequence[SubjectScore]) -> Table:
    return {
        "class": [score.name or "all" for score in scores],
        "images": [score.images for score in scores],
        "evidence inside": [score.inside for score in scores],
        "low": [score.low for score in scores],
        "high": [score.high for score in scores],
        "by chance (area)": [score.area for score in scores],
        "pointing game": [score.pointing for score in scores],
        "p-value (Holm)": [None if np.isnan(s.p_value) else s.p_value for s in scores],
        "elsewhere": [score.is_elsewhere for score in scores],
        "by chance": [score.is_by_chance for score in scores],
    }
