"""Unknowns: whether the network notices images that are unlike those of the dataset."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from callbacks.figure_kind import FigureKind
from callbacks.pictures.allowance import BUDGET
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput
from callbacks.plots.drawing.texts import counted
from callbacks.plots.unknowns import plot_unknowns
from models import ImageClassifier
from models.evaluation.unknowns import (
    ENOUGH,
    Neighbours,
    auroc,
    energy,
    fit_neighbours,
    largest_logit,
    leave_one_out,
    refusing_threshold,
)
from models.explain import NothingToShow

PHRASES = {  # kinds of unknown images, and what a title calls them
    "noise": "noise",
    "left out": "classes that were left out",
    "to predict": "the images to predict",
}
NUM_IMAGES, FEWEST = 64, 4  # of noise, and most of those to predict
KINDS = 2  # of images that need a forward pass
Scores = dict[str, Tensor]  # of M images, (M,), by name; a high one means known


@dataclass(eq=False)
class Unknowns(Picture):
    """Unknowns: similarity of known images, noise, left-out classes and the images to predict.

    Left-out classes are those of `options.exclude_classes`: the network was trained without them,
    but the test has their images. Three scores are compared: similarity to the nearest neighbours
    in features, whose threshold the checkpoint has; energy; and the largest logit. At the end, the
    metrics `known_refused` (share of known images below the threshold, about 5 %), `auroc_noise`
    and `auroc_left_out` are logged, and `tables/unknowns_<split>.json`.

    Attributes:
        when: See `Picture`.
    """

    name: ClassVar[str] = "unknowns"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("unknowns", "errors", "Mistakes"),)
    splits: ClassVar[tuple[str, ...]] = ("val", "test")
    needs_labels: ClassVar[bool] = True
    costly: ClassVar[bool] = True

    @property
    def fewest_passes(self) -> float:
        """See `Picture`."""
        return FEWEST * KINDS

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        found, neighbours = _scores_by_kind(context)
        known, unknown = found.pop("known"), found
        names = list(known)
        areas = {n: [auroc(known[n], other[n]) for other in unknown.values()] for n in names}
        own = names[0]
        refused = _share(known[own] < neighbours.threshold)
        similarity = {"known": known[own]} | {kind: other[own] for kind, other in unknown.items()}
        title = (
            f"Unknown images, {context.title}: {counted(len(known[own]), 'known image')}\n"
            f"{100 * refused:.1f} % of them are below the threshold, "
            + ", ".join(
                f"{100 * _share(other[own] < neighbours.threshold):.0f} % of {PHRASES[kind]} "
                f"({len(other[own]):,})"
                for kind, other in unknown.items()
            )
        )
        title += f" (limit: {BUDGET})" * context.allowance.exhausted
        arrays = {kind: values.numpy() for kind, values in similarity.items()}
        yield self.name, plot_unknowns(arrays, neighbours.threshold, areas, title)
        if not context.final:
            return
        yield "known_refused", refused
        for kind, area in zip(unknown, areas[own], strict=True):
            yield f"auroc_{kind.replace(' ', '_')}", area
        rows = [(score, kind) for score in names for kind in unknown]
        yield (
            self.name,
            {
                "score": [score for score, _ in rows],
                "unknown": [kind for _, kind in rows],
                "images": [len(unknown[kind][score]) for score, kind in rows],
                "auroc": [auroc(known[score], unknown[kind][score]) for score, kind in rows],
                "refused": [_refused(known[score], unknown[kind][score]) for score, kind in rows],
            },
        )


def _neighbours(context: PictureContext, features: Tensor) -> Neighbours:
    """What finds unknown images; says which images are too few, and how many are needed."""
    needed, what, number = 2, f"{context.split} images", len(features)
    uncertainty = getattr(context.model, "uncertainty", None)
    found = uncertainty and uncertainty.neighbours
    if context.split == "val":
        needed, what, found = ENOUGH, "validation images", fit_neighbours(features)
    if number < needed:
        raise NothingToShow(f"it needs {needed} {what} of known classes, and there are {number}.")
    if found is None:
        raise NothingToShow(
            f"the checkpoint keeps no features: its fit had fewer than {ENOUGH} validation images, "
            "or was one of an earlier version."
        )
    return found


class _Outputs(NamedTuple):
    """Features, (M, D), and logits, (M, K), of images."""

    features: Tensor
    logits: Tensor


def _scores_by_kind(context: PictureContext) -> tuple[dict[str, Scores], Neighbours]:
    """Scores of the known images, and of each kind of unknown ones; and what scores them."""
    known, left_out = _evaluated(context)
    neighbours = _neighbours(context, known.features)
    first = leave_one_out if context.split == "val" else neighbours.similarity
    found = {"known": _scores(known, first)}
    others = {"noise": _noise(context), "left out": left_out, "to predict": _to_predict(context)}
    for kind, outputs in others.items():
        if outputs is not None and len(outputs.logits):
            found[kind] = _scores(outputs, neighbours.similarity)
    return found, neighbours


def _evaluated(context: PictureContext) -> tuple[_Outputs, _Outputs]:
    """Outputs for the sampled images: of classes that were trained, and of those left out."""
    sampled = context.outputs.features if context.outputs else None
    if sampled is None or not isinstance(context.model, ImageClassifier):
        raise NothingToShow("unknown images are found by features, which are not known.")
    labels = context.predictions.labels[sampled.rows]
    excluded = getattr(getattr(context.data, "options", None), "exclude_classes", [])
    numbers = [list(context.class_names).index(name) for name in excluded]
    left_out = torch.isin(labels, torch.tensor(numbers, dtype=labels.dtype))
    logits = context.predictions.logits[sampled.rows]
    known, others = ~left_out & (labels >= 0), left_out
    return tuple(_Outputs(sampled.values[rows], logits[rows]) for rows in (known, others))  # pyright: ignore[reportReturnType]


def _scores(outputs: _Outputs, similarity: Callable[[Tensor], Tensor]) -> Scores:
    return {
        "nearest neighbours": similarity(outputs.features),
        "energy": energy(outputs.logits),
        "largest logit": largest_logit(outputs.logits),
    }


def _noise(context: PictureContext) -> _Outputs:
    """Outputs for images each of whose values is drawn for itself."""
    number = context.allowance.affordable(NUM_IMAGES, KINDS, FEWEST)
    shape = (number, *context.sample(1)[0].shape[1:])
    images = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    return _run(context, images)


def _to_predict(context: PictureContext) -> _Outputs | None:
    """Outputs for some of the images that the settings of the data name for `predict`."""
    if context.data is None or (source := context.data.sources.get("predict")) is None:
        return None
    number = context.allowance.affordable(min(NUM_IMAGES, len(source)), KINDS, FEWEST)
    step = max(1, -(-len(source) // number))
    return _run(context, context.data.images("predict", range(0, len(source), step)))


def _run(context: PictureContext, images: Tensor) -> _Outputs:
    device = next(context.model.parameters()).device
    assert isinstance(context.model, ImageClassifier)
    with torch.no_grad():
        features, logits = context.model.features_and_logits(images.to(device))
    return _Outputs(features.float().cpu(), logits.float().cpu())


def _refused(known: Tensor, unknown: Tensor) -> float:
    """Share of the unknown images that are refused where 5 % of the known ones are."""
    return _share(unknown < refusing_threshold(known))


def _share(flags: Tensor) -> float:
    return float(flags.double().mean())
