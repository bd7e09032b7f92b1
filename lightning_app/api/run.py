"""A run of the MLflow store as a Python object."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml

from lightning_app.api.splits import check_split
from lightning_app.cli.networks.checkpoint_network import checkpoint_network
from lightning_app.store.checkpoints import find_checkpoint, read_checkpoint
from lightning_app.store.run_recorder import CLASS_NAMES
from lightning_app.store.runs import ID_LENGTH, open_store
from lightning_app.store.stored_run import open_stored_run
from models import ImageClassifier

CONFIG = "config/config.yaml"
SHOWN = ("val/accuracy", "test/accuracy")  # metrics that a run shows of itself


@dataclass(frozen=True, repr=False)
class Run:
    """A run of the store: what was trained, how good it is, and where its weights are.

    `fit` and `load` return one. It is a snapshot: `load(run.id)` reads the run again.

    Attributes:
        name: Name of the run, as the MLflow UI shows it.
        id: MLflow's id, 32 hexadecimal digits.
        experiment: Name of the experiment.
        status: `FINISHED`, `FAILED`, `KILLED` or `RUNNING`.
        metrics: Last value of each metric. Scores such as `test/accuracy` are those of the last
            evaluation.
        params: The configuration, flat: `{"trainer.max_epochs": "3", …}`. Values are strings.
        checkpoint: The best checkpoint, or the last if nothing was validated; None if there is
            none.
        root: Folder of the store.

    Example:
        >>> run = lightning_app.load("best")
        >>> run.metrics["val/accuracy"]
        0.9895
        >>> run.history("val/loss").plot()
    """

    name: str
    id: str
    experiment: str
    status: str
    metrics: Mapping[str, float] = field(hash=False)
    params: Mapping[str, str] = field(hash=False)
    checkpoint: Path | None
    root: Path

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the logits.

        Raises:
            ValueError: If the run has no checkpoint.
        """
        return tuple(read_checkpoint(checkpoint_of(self))[CLASS_NAMES])

    def model(self) -> ImageClassifier:
        """The trained network on the CPU, in eval mode.

        It maps images in [0, 1], (N, C, H, W), to logits, (N, K).

        Raises:
            ValueError: If the run has no checkpoint, or the network cannot be built.
        """
        model = checkpoint_network(str(checkpoint_of(self)), None).model.eval()
        assert isinstance(model, ImageClassifier)
        return model

    def config(self) -> dict[str, Any]:
        """The configuration with all defaults, as `fit` takes it.

        Raises:
            ValueError: If the run recorded none.
        """
        config = yaml.safe_load(self._text(CONFIG, "`fit` records it when training starts"))
        assert isinstance(config, dict)
        return config

    def history(self, metric: str) -> pd.Series:
        """Values of a metric, indexed by epoch (by step for names that end in `_step`).

        Raises:
            ValueError: If the run has no such metric.
        """
        if metric not in self.metrics:
            known = ", ".join(sorted(self.metrics))
            raise ValueError(f"The run {self.name!r} has no metric {metric!r}; it has {known}.")
        client = open_store(self.root)
        with open_stored_run(client, client.get_run(self.id)) as stored:
            values = stored.history(metric)
        series = pd.Series(values, name=metric, dtype=float).sort_index()
        return series.rename_axis("step" if metric.endswith("_step") else "epoch")

    def predictions(self, split: Literal["test", "val", "predict"] = "test") -> pd.DataFrame:
        """What the network predicted for the images of a split, one row per image.

        Columns are image, label, predicted and confidence, then the next best classes.

        Raises:
            ValueError: If there is no such split, or the network was not evaluated on it.
        """
        check_split(split, ("test", "val", "predict"))
        text = self._text(f"predictions/{split}.csv", "`lightning_app.evaluate` makes it")
        return pd.read_csv(io.StringIO(text), keep_default_na=False, dtype=_text_columns(text))

    def _text(self, file: str, remedy: str) -> str:
        """A text artifact."""
        client = open_store(self.root)
        with open_stored_run(client, client.get_run(self.id)) as stored:
            text = stored.text(file)
        if not text:
            raise ValueError(f"The run {self.name!r} has no {file}; {remedy}.")
        return text

    def __repr__(self) -> str:
        shown = [f"{name} {self.metrics[name]:.4f}" for name in SHOWN if name in self.metrics]
        about = ", ".join([self.status.lower(), *shown])
        return f"<Run {self.name} ({self.id[:ID_LENGTH]}) in {self.experiment}: {about}>"


def checkpoint_of(run: Run) -> Path:
    """The checkpoint of a run, which is downloaded if it is only in the store.

    Raises:
        ValueError: If it has none.
    """
    if run.checkpoint is None or not run.checkpoint.is_file():
        return find_checkpoint(run.id, root=run.root)
    return run.checkpoint


def _text_columns(text: str) -> Any:
    """The type of columns that hold names, which may look like numbers."""
    header = text.partition("\n")[0].strip().split(",")
    return {name: str for name in header if not name.startswith("confidence")}
