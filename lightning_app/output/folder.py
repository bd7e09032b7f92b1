"""Output folder of a command: figures, images, tables and texts, written atomically."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from callbacks.plots.drawing.encoded import as_png
from callbacks.plots.drawing.rendered import rendered
from datamodules.atomic_files import atomic_write


class Folder:
    """The folder for the results of a command.

    Args:
        path: The folder, which is created with the first file.

    Raises:
        ValueError: If the path is a file.

    Attributes:
        written: Files written so far, relative to the folder.
    """

    def __init__(self, path: Path) -> None:
        if path.exists() and not path.is_dir():
            raise ValueError(f"{path} is a file; the output (--out) has to be a folder.")
        self.path = path
        self.written: list[Path] = []

    def write_figure(self, name: str, figure: Figure) -> None:
        """Write a figure as `<name>.png`."""
        self._write(f"{name}.png", png_of(figure))

    def write_image(self, name: str, image: np.ndarray) -> None:
        """Write pixels, uint8 (H, W, 3), unscaled as `<name>.png`."""
        content = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1]
        self._write(f"{name}.png", content.tobytes())

    def write_table(self, name: str, columns: dict[str, list[Any]]) -> None:
        """Write the columns of a table as `<name>.csv`."""
        self._write(f"{name}.csv", pd.DataFrame(columns).to_csv(index=False).encode())

    def write_text(self, name: str, text: str) -> None:
        """Write a text as `<name>`."""
        self._write(name, text.encode())

    def remove(self, name: str) -> None:
        """Remove a file that an earlier call has left."""
        (self.path / name).unlink(missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        """Write a file atomically.

        Raises:
            ValueError: If it cannot be written.
        """
        file = self.path / name
        try:
            with atomic_write(file) as unfinished:
                unfinished.write_bytes(content)
        except OSError as error:
            raise ValueError(f"{file} cannot be written (--out): {error.strerror}.") from error
        if Path(name) not in self.written:
            self.written.append(Path(name))


def png_of(figure: Figure) -> bytes:
    """Render a figure as the content of a PNG file."""
    return as_png(rendered(figure))
