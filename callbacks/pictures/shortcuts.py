"""Shortcuts: what a network loses without the border, a corner, colour or fine detail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.affordable import affordable
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, Table, When
from callbacks.plots.shortcuts import Loss, plot_shortcuts
from models.evaluation.paired_test import holm, paired_test
from models.explain import NothingToShow
from models.explain.parts import HOWS, OUTSIDE, PARTS, How, without_part

MOST, FEWEST, LEAST = 256, 48, 8  # images: in all, of a large network, and to say anything
OUTLINE = 2  # images of a small budget, which only show what happens
SECONDS = 30  # of a typical device; see `models.explain.work`
PASSES = 1 + len(PARTS) * len(HOWS)  # of each image
OUTLINE_PASSES = 1 + len(OUTSIDE)
CHUNK = 64  # images of a forward pass
COSTLY = 0.1  # loss of accuracy that is worth a sentence
DOUBT = 0.05
NORMAL_95 = 1.96


@dataclass(eq=False)
class Shortcuts(Picture):
    """What the network needs: accuracy without the border, each corner, the centre, colour, detail.

    Each part is blurred, and exchanged between images. The table `shortcuts` has the accuracy and
    the mean probability of the true class, and their differences from those of the images as they
    are, with paired 95 % intervals. A border or corner is costly if the accuracy falls by ten
    points or more, and not by chance (McNemar's exact test, adjusted by Holm for all tests).
    Without labels the predictions for the images as they are take their place.

    Attributes:
        when: See `Picture`.
        num_images: Images to try, spread over the classes, each with 17 forward passes; None for
            256, or fewer if the network is large, 48 at least.
    """

    name: ClassVar[str] = "shortcuts"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("shortcuts", "network"),)
    costly: ClassVar[bool] = True

    when: When = "last"
    num_images: int | None = None

    @property
    def fewest_passes(self) -> float:
        """See `Picture`: few images, whose border and corners are exchanged."""
        return OUTLINE * OUTLINE_PASSES

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        wanted, allowance = self.num_images or 0, context.allowance
        wanted = wanted or affordable(context, PASSES, SECONDS, FEWEST, MOST)
        wanted = context.available(wanted)
        outline = allowance.passes < LEAST * PASSES
        parts, hows, least = (OUTSIDE, HOWS[-1:], OUTLINE) if outline else (PARTS, HOWS, LEAST)
        number = allowance.affordable(wanted, 1 + len(parts) * len(hows), least)
        images, labels = context.sample(number)
        labelled = bool((labels >= 0).any())
        if labelled:
            images, labels = images[labels >= 0], labels[labels >= 0]
        if len(images) < least:
            raise NothingToShow(f"it needs {least} images or more.")
        whole = _probabilities(context.model, images)
        labels = labels if labelled else whole.argmax(dim=1)
        losses = _losses(context.model, images, labels, whole, parts, hows)
        parts = list(dict.fromkeys(loss.part for loss in losses))
        measure = "accuracy" if labelled else "share of unchanged predictions"
        title = f"What the network needs, {context.title}: {allowance.counted(len(images), wanted)}"
        title += f"; too few to judge, for which {LEAST} are needed" * (len(images) < LEAST)
        shown = images[int(whole.amax(dim=1).argmax())][None]
        tiles = {how: [_tile(images, part, how, shown) for part in parts] for how in hows}
        yield self.name, plot_shortcuts(_array(shown[0]), tiles, losses, measure, title)
        yield self.name, _table(losses)


@torch.no_grad()
def _probabilities(model: nn.Module, images: Tensor) -> Tensor:
    return torch.cat([model(chunk).cpu().double().softmax(dim=1) for chunk in images.split(CHUNK)])


def _losses(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    whole: Tensor,
    parts: Sequence[str],
    hows: Sequence[How],
) -> list[Loss]:
    """What each way to remove each part costs."""
    labels = labels.cpu()
    correct, sure = _scores(whole, labels)
    grey = torch.allclose(images, without_part(images, "colour", "blurred"), atol=1e-3)
    found = []
    for part in parts:
        for how in () if grey and part == "colour" else hows:
            changed = _probabilities(model, without_part(images, part, how))
            still_correct, still_sure = _scores(changed, labels)
            test = paired_test(correct[None], still_correct[None])
            moved = still_sure - sure
            error = float(moved.std()) / len(moved) ** 0.5
            change = float(moved.mean())
            of_accuracy = (test.difference, test.low, test.high)
            ends = (change - NORMAL_95 * error, change + NORMAL_95 * error)
            bases = (float(correct.double().mean()), float(sure.mean()))
            found.append(Loss(part, how, bases, of_accuracy, (change, *ends), test.p_value))
    adjusted = holm([loss.p_value for loss in found])
    return [
        loss._replace(
            p_value=p_value,
            costly=loss.part in OUTSIDE and loss.accuracy[0] <= -COSTLY and p_value < DOUBT,
        )
        for loss, p_value in zip(found, adjusted, strict=True)
    ]


def _scores(probabilities: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Whether each image is classified correctly, and the probability of its class."""
    return probabilities.argmax(dim=1) == labels, probabilities.gather(1, labels[:, None])[:, 0]


def _table(losses: list[Loss]) -> Table:
    return {
        "part": [loss.part for loss in losses],
        "how": [loss.how for loss in losses],
        "accuracy as it is": [loss.bases[0] for loss in losses],
        "accuracy without": [loss.bases[0] + loss.accuracy[0] for loss in losses],
        "low": [loss.accuracy[1] for loss in losses],
        "high": [loss.accuracy[2] for loss in losses],
        "p-value (Holm)": [loss.p_value for loss in losses],
        "probability as it is": [loss.bases[1] for loss in losses],
        "probability without": [loss.bases[1] + loss.probability[0] for loss in losses],
        "probability low": [loss.probability[1] for loss in losses],
        "probability high": [loss.probability[2] for loss in losses],
        "costly": [loss.costly for loss in losses],
    }


def _tile(images: Tensor, part: str, how: str, shown: Tensor) -> np.ndarray:
    """The shown image without a part; exchanged with one of the others."""
    other = images[:1] if not torch.equal(images[:1], shown) else images[1:2]
    pair = torch.cat([shown, other])
    return _array(without_part(pair, part, "blurred" if how == "blurred" else "exchanged")[0])


def _array(image: Tensor) -> np.ndarray:
    return image.movedim(0, -1).cpu().numpy()
