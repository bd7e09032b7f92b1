"""Subject: images whose evidence is outside of their subject, and the share inside per class."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from callbacks.plots.drawing.overlays import overlaid
from callbacks.plots.drawing.style import BAD, DPI, OKABE_ITO
from callbacks.plots.drawing.texts import letters_in, shorten
from callbacks.plots.drawing.titles_and_legends import add_title
from models.evaluation.subject_scores import SubjectScore

WIDTH, ROW, HEAD = 9.6, 0.27, 1.7  # inches
GAP, FONT, CAPTION = 0.06, 8, 0.32  # the first and the last in widths of an image
MOST_CLASSES, MOST_NAMED, NAME_LENGTH = 30, 3, 26
INSIDE, POINTING, OUTLINE = OKABE_ITO[4], OKABE_ITO[1], "#00FF66"


def plot_subject(
    images: np.ndarray,
    maps: np.ndarray,
    masks: np.ndarray,
    captions: Sequence[str],
    scores: Sequence[SubjectScore],
    title: str,
) -> Figure:
    """Draw images with their evidence and subject, and the share inside of each class.

    Args:
        images: In [0, 1], (N, H, W, C).
        maps: Their evidence, in [0, 1], (N, H, W).
        masks: Their subjects, boolean, (N, H, W).
        captions: Below each image.
        scores: Of all images, and of each class.
        title: Title of the figure; the sentences follow it.
    """
    shown = sorted(scores[1:], key=lambda score: score.inside - score.area)[:MOST_CLASSES]
    shown = [scores[0], *shown] if len(scores) > 2 else [*scores[:1]]
    ratio = images.shape[1] / images.shape[2]
    strip = WIDTH / len(images) * (ratio + CAPTION)
    bars = ROW * len(shown) + HEAD
    figure = Figure(figsize=(WIDTH, strip + bars), dpi=DPI, layout="constrained")
    axes = figure.subplot_mosaic("A;B", height_ratios=[strip, bars])
    _draw_images(axes["A"], overlaid(images, maps), masks, captions)
    _draw_bars(axes["B"], shown)
    handles, names = axes["B"].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    add_title(figure, "\n".join([title, *sentences(scores)]))
    return figure


def sentences(scores: Sequence[SubjectScore]) -> list[str]:
    """Where the evidence is, and the classes for which it is elsewhere, the worst first."""
    whole = scores[0]
    chance = ", no more than by chance" * whole.is_by_chance
    said = [
        f"{100 * whole.inside:.0f} % of the evidence lies inside the subject "
        f"({100 * whole.low:.0f} to {100 * whole.high:.0f}), which covers {100 * whole.area:.0f} % "
        f"of the image{chance}; the strongest evidence is inside for "
        f"{100 * whole.pointing:.0f} % of the images."
    ]
    elsewhere = [score for score in scores[1:] if score.is_elsewhere]
    elsewhere.sort(key=lambda score: score.inside - score.area)
    return said + [
        f"{score.name}: {100 * score.inside:.0f} % inside, less than the {100 * score.area:.0f} % "
        "that the subject covers: the network looks elsewhere."
        for score in elsewhere[:MOST_NAMED]
    ]


def _draw_images(axes: Axes, tiles: np.ndarray, masks: np.ndarray, captions: Sequence[str]) -> None:
    ratio = tiles.shape[1] / tiles.shape[2]
    room = letters_in(WIDTH / len(tiles), FONT)
    for number, (tile, mask) in enumerate(zip(tiles, masks, strict=True)):
        left = number * (1 + GAP)
        axes.imshow(tile, extent=(left, left + 1, ratio, 0), interpolation="nearest")
        padded = np.pad(mask.astype(float), 1)  # so that an outline at the edge is closed
        across, down = 1 / mask.shape[1], ratio / mask.shape[0]
        columns = left + across * (np.arange(padded.shape[1]) - 0.5)
        rows = down * (np.arange(padded.shape[0]) - 0.5)
        axes.contour(columns, rows, padded, levels=[0.5], colors=OUTLINE, linewidths=1.2)
        caption = "\n".join(shorten(line, room) for line in captions[number].split("\n"))
        axes.text(left + 0.5, ratio + 0.03, caption, ha="center", va="top", fontsize=FONT)
    axes.set_xlim(-0.01, len(tiles) * (1 + GAP) - GAP + 0.01)
    axes.set_ylim(ratio + CAPTION, -0.01)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _draw_bars(axes: Axes, shown: Sequence[SubjectScore]) -> None:
    places, inside = np.arange(len(shown)), np.array([score.inside for score in shown])
    ends = np.array([(score.low, score.high) for score in shown]).T
    reach = np.stack([inside - ends[0], ends[1] - inside]).clip(min=0)
    axes.barh(places, inside, height=0.75, color=INSIDE, label="evidence inside the subject")
    look = {"fmt": "none", "ecolor": "black", "elinewidth": 1, "capsize": 2}
    axes.errorbar(inside, places, xerr=reach, label="95 % interval", **look)
    area = [score.area for score in shown]
    axes.scatter(
        area, places, marker="|", s=220, color="black", zorder=3, lw=2, label="by chance (area)"
    )
    mark = {"marker": "D", "s": 24, "color": POINTING, "edgecolors": "black", "linewidths": 0.5}
    hits = [score.pointing for score in shown]
    axes.scatter(hits, places, zorder=3, clip_on=False, label="strongest inside", **mark)
    names = [shorten(score.name or "all images", NAME_LENGTH) for score in shown]
    axes.set_yticks(places, [f"{n} ({s.images:,})" for n, s in zip(names, shown, strict=True)])
    axes.tick_params(axis="y", labelsize=9)
    for label, score in zip(axes.get_yticklabels(), shown, strict=True):
        if score.is_elsewhere:
            label.set_color(BAD)
    axes.set_xlim(0, 1)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlabel("share", fontsize=9)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
