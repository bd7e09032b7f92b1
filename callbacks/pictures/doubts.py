"""Doubts: why not to trust the heat maps of a method, as the sanity checks found."""

from collections.abc import Iterable, Mapping, Sequence

from matplotlib.figure import Figure

from callbacks.pictures.picture import PictureContext
from callbacks.plots.drawing.grid_version import warn_in_grid

SHORT = "do not trust these maps"


def sentences(doubts: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence on each method that failed a check.

    Args:
        doubts: Reasons by the name of the method.
    """
    return [
        f"Do not trust the maps of {method}: {'; '.join(reasons)}."
        for method, reasons in doubts.items()
        if reasons
    ]


def doubtful_title(title: str, context: PictureContext, methods: Iterable[str]) -> str:
    """The title of a picture, with what there is to say against the methods that it shows."""
    shown = {method: context.doubts.get(method, []) for method in methods}
    return "\n".join([title, *sentences(shown)])


def mark_doubtful(figure: Figure, context: PictureContext, methods: Iterable[str]) -> Figure:
    """Say so above the grid version of a figure, which has no title, if all methods failed."""
    if all(context.doubts.get(method) for method in methods):
        warn_in_grid(figure, SHORT)
    return figure
