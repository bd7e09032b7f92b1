"""Figure kinds: what the UI and the report have to know of the figures that a run logs."""

from dataclasses import dataclass
from typing import Literal

Section = Literal["course", "errors", "network", "data"]  # of the report
Panel = Literal["Overview", "Layer activations", "Mistakes"]  # of the UI, in this order


@dataclass(frozen=True)
class FigureKind:
    """Figures that share a title and a reading help.

    Both stand under `pictures.<name>` in `lightning_app/pages/texts/<language>.yaml`.

    Attributes:
        name: Name of the kind. Its figures are called so, or have it in their name.
        section: Section of the report.
        panel: Panel of the UI; None for figures that are logged once and are not in the image grid.
        figures: Names of the figures in the order of the UI and the report, where the kind has
            several or another name: `mistakes/top_loss`.
        shows_images: Whether it is about the images of a split, which the report then names.
    """

    name: str
    section: Section
    panel: Panel | None = None
    figures: tuple[str, ...] = ()
    shows_images: bool = True
