"""Figures that a notebook shows without `matplotlib.pyplot`."""

import base64
import sys
from html import escape
from typing import Any

from matplotlib.figure import Figure

from lightning_app.output.folder import png_of


class Figures(dict[str, Figure]):
    """Matplotlib figures by name; a notebook shows them one below the other.

    Example:
        >>> figures = lightning_app.explain(run, images)
        >>> list(figures)
        ['grad_cam', 'saliency', 'filters']
        >>> figures["grad_cam"].savefig("grad_cam.png")
    """

    def __init__(self, *args: Any, **kwargs: Figure) -> None:
        super().__init__(*args, **kwargs)
        show_single_figures()

    def _repr_html_(self) -> str:
        """All figures as HTML, which is what notebooks ask for."""
        return "\n".join(
            f"<h4>{escape(name)}</h4>"
            f'<img alt="{escape(name)}" style="max-width: 100%" src="data:image/png;base64,'
            f'{base64.b64encode(png_of(figure)).decode()}">'
            for name, figure in self.items()
        )

    def __repr__(self) -> str:
        return f"<Figures {', '.join(self)}>"


def show_single_figures() -> None:
    """Let IPython show a figure that is not pyplot's as an image, unless it does already."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        return
    formatter = shell.display_formatter.formatters["image/png"]
    try:
        formatter.lookup_by_type(Figure)
    except KeyError:
        formatter.for_type(Figure, png_of)
