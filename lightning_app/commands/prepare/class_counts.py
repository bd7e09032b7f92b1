"""Class counts before and after `prepare augment`: a table to print, a CSV file, and a figure."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from datamodules.sources.source import ImageSource
from lightning_app.commands.prepare.copies import Copy
from lightning_app.commands.prepare.tables import MOST_CLASSES, write_table
from lightning_app.output.console import Column, print_table

SPLITS = ("train", "val", "test")
NAME = "class_counts"  # of the files


class ClassCounts:
    """Images of each class in each split, before and after balancing.

    Args:
        sources: The originals of each split.
        copies: The images that are written, originals among them.
        class_names: The classes, in the order of their indices.

    Attributes:
        class_names: The classes.
        before: Originals of each class, (K,), by split.
        after: Images that are written of each class, (K,), by split.
    """

    def __init__(
        self, sources: Mapping[str, ImageSource], copies: Sequence[Copy], class_names: Sequence[str]
    ) -> None:
        index = {name: label for label, name in enumerate(class_names)}
        labels = {split: [index[c.label] for c in copies if c.split == split] for split in SPLITS}
        self.class_names, number = class_names, len(class_names)
        self.before = {
            split: np.bincount(sources[split].labels, minlength=number)
            for split in SPLITS
            if split in sources
        }
        self.after = {
            split: np.bincount(np.array(labels[split], np.int64), minlength=number)
            for split in self.before
        }

    def show(self) -> None:
        """Print how many images each class has, and how many it had."""
        columns = [Column("class"), *(Column(split, "right") for split in self.before)]
        rows = [*self._rows()[:MOST_CLASSES], ("total", *self._pairs(slice(None)))]
        cells = [(name, *(f"{old:,} → {new:,}" for old, new in pairs)) for name, *pairs in rows]
        if (more := len(self.class_names) - MOST_CLASSES) > 0:
            cells.insert(-1, (f"… {more:,} more classes", *("" for _ in self.before)))
        print_table(columns, cells, "Images of each class, before → after:")

    def write(self, folder: Path) -> None:
        """Write `class_counts.csv` and `class_counts.png`."""
        # These import torch: only the end of a run needs them.
        from callbacks.plots import plot_class_counts_twice
        from lightning_app.output.folder import Folder

        columns = [f"{split}_{when}" for split in self.before for when in ("before", "after")]
        rows = [
            (name, *(str(number) for pair in pairs for number in pair))
            for name, *pairs in self._rows()
        ]
        write_table(folder / f"{NAME}.csv", ["class", *columns], rows)
        figure = plot_class_counts_twice(self.before, self.after, self.class_names)
        Folder(folder).write_figure(NAME, figure)

    def _rows(self) -> list[tuple[str, *tuple[tuple[int, int], ...]]]:
        """Name of each class, and its numbers before and after in each split."""
        return [(name, *self._pairs(label)) for label, name in enumerate(self.class_names)]

    def _pairs(self, label: int | slice) -> list[tuple[int, int]]:
        return [
            (int(self.before[split][label].sum()), int(self.after[split][label].sum()))
            for split in self.before
        ]
