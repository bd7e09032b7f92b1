"""Shortcuts: images without each part, and what the network loses."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.style import BAD, DPI, OKABE_ITO
from callbacks.plots.drawing.titles_and_legends import add_title

WIDTH, CHARTS, HEAD = 10.4, 3.5, 0.5  # inches
COLORS = {"blurred": OKABE_ITO[4], "exchanged": OKABE_ITO[0]}
MEANING = {
    "blurred": "part blurred (colour: grey)",
    "exchanged": "part exchanged between images",
}
GAP = 0.06  # between tiles, relative to their width


class Loss(NamedTuple):
    """What a network loses without a part of its images.

    Attributes:
        part: The part.
        how: How it was removed, `blurred` or `exchanged`.
        bases: Accuracy and mean probability of the class for the images as they are.
        accuracy: Its change and the ends of its 95 % interval.
        probability: The same of the mean probability of the class.
        p_value: Of the change in accuracy.
        costly: Whether a part that is seldom the subject costs much.
    """

    part: str
    how: str
    bases: tuple[float, float]
    accuracy: tuple[float, float, float]
    probability: tuple[float, float, float]
    p_value: float
    costly: bool = False


def plot_shortcuts(
    image: np.ndarray,
    tiles: Mapping[str, Sequence[np.ndarray]],
    losses: Sequence[Loss],
    measure: str,
    title: str,
) -> Figure:
    """Draw an image without each part, and accuracy and probability without it.

    Args:
        image: The image as it is, in [0, 1], (H, W, 3) or (H, W, 1).
        tiles: The image without each part, for each way to remove it.
        losses: A loss for each part and way, parts in the order of the tiles.
        measure: What `accuracy` is called.
        title: Title of the figure.
    """
    parts = list(dict.fromkeys(loss.part for loss in losses))
    columns, ratio = len(parts) + 1, image.shape[0] / image.shape[1]
    strip = len(tiles) * ratio * WIDTH / columns + HEAD
    figure = Figure(figsize=(WIDTH, strip + CHARTS + HEAD), dpi=DPI, layout="constrained")
    axes = figure.subplot_mosaic("AA;BC", height_ratios=[strip, CHARTS])
    _draw_tiles(axes["A"], image, tiles, parts)
    _draw_losses(axes["B"], parts, losses, measure, 0)
    _draw_losses(axes["C"], parts, losses, "mean probability of the class", 1)
    axes["C"].set_yticklabels([])
    handles, names = axes["B"].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    said = "\n".join(sentences(losses, measure))
    add_title(figure, f"{title}\n{said}" if said else title)
    return figure


def sentences(losses: Sequence[Loss], measure: str) -> list[str]:
    """A sentence on each costly part, the way that costs most."""
    costly: dict[str, Loss] = {}
    for loss in sorted(losses, key=lambda loss: loss.accuracy[0]):
        if loss.costly:
            costly.setdefault(loss.part, loss)
    return [
        f"Without the {part} ({loss.how}) the {measure} falls from {100 * loss.bases[0]:.0f} to "
        f"{100 * (loss.bases[0] + loss.accuracy[0]):.0f} %."
        for part, loss in costly.items()
    ]


def _draw_tiles(
    axes: Axes, image: np.ndarray, tiles: Mapping[str, Sequence[np.ndarray]], parts: Sequence[str]
) -> None:
    ratio = image.shape[0] / image.shape[1]
    for row, of_row in enumerate(tiles.values()):
        for column, tile in enumerate([image, *of_row]):
            left, top = column * (1 + GAP), row * (ratio + GAP)
            shown = np.broadcast_to(tile, (*tile.shape[:2], 3))
            place = (left, left + 1, top + ratio, top)
            axes.imshow(shown, extent=place, interpolation="nearest", vmin=0, vmax=1)
    names = ["as it is", *(part.replace(" corner", "\ncorner") for part in parts)]
    names = [name.replace("high freq", "high\nfreq") for name in names]
    axes.set_xlim(0, len(names) * (1 + GAP))
    axes.set_ylim(len(tiles) * (ratio + GAP), 0)
    axes.set_xticks([k * (1 + GAP) + 0.5 for k in range(len(names))], names, fontsize=8)
    places = [k * (ratio + GAP) + ratio / 2 for k in range(len(tiles))]
    axes.set_yticks(places, list(tiles), fontsize=8.5)
    axes.tick_params(length=0, labeltop=True, labelbottom=False)
    axes.spines[:].set_visible(False)


def _draw_losses(
    axes: Axes, parts: Sequence[str], losses: Sequence[Loss], measure: str, which: int
) -> None:
    """Draw bars of what is left of a measure: 0 for the accuracy, 1 for the probability."""
    base = losses[0].bases[which]
    for k, (how, color) in enumerate(COLORS.items()):
        own = [loss for loss in losses if loss.how == how]
        if not own:
            continue
        places = np.array([parts.index(loss.part) for loss in own]) + 0.38 * (k - 0.5)
        changes = np.array([(loss.accuracy, loss.probability)[which] for loss in own])
        left = base + changes[:, 0]
        axes.barh(places, left, height=0.36, color=color, label=MEANING[how])
        reach = np.stack([changes[:, 0] - changes[:, 1], changes[:, 2] - changes[:, 0]])
        axes.errorbar(left, places, xerr=reach.clip(min=0), fmt="none", ecolor="black", capsize=2)
    axes.axvline(base, color="black", lw=1, ls="--", label="images as they are")
    axes.set_yticks(range(len(parts)), [f"without {part}" for part in parts], fontsize=9)
    for label, part in zip(axes.get_yticklabels(), parts, strict=True):
        if any(loss.costly for loss in losses if loss.part == part):
            label.set_color(BAD)
    axes.set_ylim(len(parts) - 0.4, -0.6)
    axes.set_xlim(0, 1.02)
    axes.set_xlabel(f"{measure}, 95 % interval of its change", fontsize=9)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
