"""Benchmark of exported files: size, latency, accuracy and agreement with the checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure

from callbacks.plots.drawing.texts import counted
from callbacks.plots.export import plot_export
from callbacks.tracking import store_figure, store_table
from lightning_app.cli.networks.exportable import Exportable
from lightning_app.cli.networks.unseen_images import ALL_SEEN, WORDS
from lightning_app.cli.networks.write_files import Exported, Run, probabilities
from lightning_app.commands.export.accuracy import score
from lightning_app.commands.export.timing import Latency, latencies
from lightning_app.output.console import Column, print_table
from lightning_app.pages.words import UNKNOWN
from models.export.exported_network import random_images
from models.export.onnx_file import OnnxNetwork
from models.export.torch_program import TorchProgram

MANY = 32  # images of the larger batch
CHECKPOINT = "checkpoint (PyTorch)"
NAMES = {"onnx": "ONNX", "pt2": "PyTorch .pt2", "int8": "ONNX int8"}
Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class Benchmark:
    """What was measured.

    Attributes:
        columns: The table, one row for each network; None where something was not measured.
        images: Images of the accuracy; 0 if those of the run cannot be read.
        threads: Threads that each network used.
        split: Which images these are; None if networks of the ensemble were trained on all.
    """

    columns: Columns
    images: int
    threads: int
    split: str | None = "val"

    def figure(self, title: str) -> Figure:
        """Draw it."""
        return plot_export(self.columns, self.images, f"{title}\n{self.conditions}")

    @property
    def conditions(self) -> str:
        """Under which conditions it was measured, in words."""
        images = "" if self.split else f"; no accuracy, since {ALL_SEEN}"
        if self.images and self.split:
            images = f"; accuracy on {self.images:,} {WORDS[self.split]} images"
        return f"On the CPU, {counted(self.threads, 'thread')}{images}"


def run_benchmark(source: Exportable, files: Sequence[Exported], most: int) -> Benchmark:
    """Measure the files that can be run, and the checkpoint.

    Args:
        source: The network.
        files: The files; one of weights alone has the speed of the checkpoint, and is left out.
        most: Images of the accuracy, at most.
    """
    threads = torch.get_num_threads()
    networks: dict[str, Run] = {CHECKPOINT: lambda images: probabilities(source, images)}
    sizes = {CHECKPOINT: _weights_size(source)}
    for each in files:
        if each.kind in NAMES:
            networks[NAMES[each.kind]] = _opened(each, threads)
            sizes[NAMES[each.kind]] = each.file.stat().st_size
    size = source.source.image_size
    batch = random_images((MANY, source.source.num_channels, size, size)).numpy()
    one, many = latencies(networks, batch[:1]), latencies(networks, batch)
    data, split = source.data, source.unseen
    scored = score(networks, data, split, most) if data is not None and split else None
    rows = [
        _row(name, sizes[name], one[name], many[name])
        | {
            "accuracy": None if scored is None else scored.accuracy(name),
            "agreement": None if scored is None else scored.agreement(CHECKPOINT, name),
        }
        for name in networks
    ]
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    images = 0 if scored is None else len(scored.labels)
    return Benchmark(columns, images, threads, "val" if data is None else split)


def print_benchmark(found: Benchmark) -> None:
    """Print the table."""
    headings = ("format", "MB", "1 image, ms", "95 %", f"{MANY} images, ms", "95 %", "images/s")
    columns = [Column(headings[0]), *(Column(name, "right") for name in headings[1:])]
    columns += [Column("accuracy", "right"), Column("agreement", "right")]
    rows = []
    for values in zip(*found.columns.values(), strict=True):
        name, *numbers, accuracy, agreement = values
        shares = [UNKNOWN if share is None else f"{share:.4f}" for share in (accuracy, agreement)]
        rows.append((name, *(_short(number) for number in numbers), *shares))
    print_table(columns, rows, f"{found.conditions}:")


def log_benchmark(source: Exportable, found: Benchmark, figure: Figure) -> bool:
    """Log table and figure to the run of the checkpoint, if it is in this store."""
    if source.run is None or source.client is None:
        return False
    run_id = source.run.info.run_id
    store_table(source.client, run_id, found.columns, "export")
    store_figure(source.client, run_id, figure, "figures/export.png")
    return True


def _opened(file: Exported, threads: int) -> Run:
    return TorchProgram(file.file) if file.kind == "pt2" else OnnxNetwork(file.file, threads)


def _weights_size(source: Exportable) -> int:
    """Bytes of the weights: the checkpoint also holds the optimizer."""
    return sum(value.nbytes for value in source.source.model.state_dict().values())


def _row(name: str, size: int, one: Latency, many: Latency) -> dict[str, Any]:
    return {
        "format": name,
        "megabytes": size / 1e6,
        "ms_1": one.median,
        "ms_1_95": one.most,
        f"ms_{MANY}": many.median,
        f"ms_{MANY}_95": many.most,
        "images_per_second": 1000 * MANY / many.median,
    }


def _short(number: float) -> str:
    """A number with three significant digits."""
    return f"{number:,.0f}" if number >= 100 else f"{number:#.3g}"
