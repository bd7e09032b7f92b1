"""Picture: base class of what a run shows of its network, its input and its output."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from callbacks.figure_kind import FigureKind
from callbacks.output_recorder import Outputs
from callbacks.pictures.allowance import Allowance
from callbacks.trainer_parts import ImageData
from models.evaluation.predictions import Predictions
from models.evaluation.training_dynamics import TrainingDynamics
from models.explain import NothingToShow

When = Literal["doubling", "last"] | int
Table = dict[str, list[Any]]  # columns by name, all of one length


class Notice(NamedTuple):
    """What has to be known before one looks at the pictures.

    Attributes:
        text: A sentence or more; empty to take back what was said before.
    """

    text: str


# A name, and what is logged under it.
PictureOutput = tuple[str, Figure | Table | float | str | Notice]


@dataclass(frozen=True, eq=False)
class PictureContext:
    """Input of a picture: a model, its predictions, and images.

    Attributes:
        model: Maps images in [0, 1] to logits. It is in eval mode, and gradients can be taken.
        class_names: Names of the classes.
        sample: `sample(n)` gives the same n images at every call, (n, C, H, W) in [0, 1], spread
            over the classes, on the device of the model, and their labels (n,), -1 where unknown.
        title: Part of the figures' titles that tells when or what for: `epoch 4`, `test`.
        split: Split of the `outputs`: `val`, `test`, or `images` for files that a user names.
        final: Whether this is the last time in the run, when tables and summaries are logged.
        outputs: Outputs for the images of the split; None if there was no pass over it.
        data: Datamodule that the images come from; None without one.
        dynamics: How the training images were learned; None but at the end of a fit.
        names: `names(n)` gives the file names of the images of `sample(n)`, if a user named files.
        allowance: Work that a costly picture may take; it uses fewer images or steps to keep to it.
        doubts: Why not to trust the maps of a method, by its name, once the sanity checks are made.
    """

    model: nn.Module
    class_names: Sequence[str]
    sample: Callable[[int], tuple[Tensor, Tensor]]
    title: str
    split: str = "val"
    final: bool = True
    outputs: Outputs | None = None
    data: Any = None
    names: Callable[[int], Sequence[str]] | None = None
    dynamics: TrainingDynamics | None = None
    allowance: Allowance = field(default_factory=Allowance)
    doubts: dict[str, list[str]] = field(default_factory=dict)

    @property
    def predictions(self) -> Predictions:
        """Predictions for the images of the split.

        Raises:
            NothingToShow: If there was no pass over the split, or no image in it.
        """
        if self.outputs is None or not len(self.outputs.predictions):
            raise NothingToShow("nothing was validated.")
        return self.outputs.predictions

    @property
    def labelled_predictions(self) -> Predictions:
        """Predictions for the images of the split whose label is known, one or more.

        Raises:
            NothingToShow: If there is no such image.
        """
        labelled = self.predictions.labelled()
        if not len(labelled):
            raise NothingToShow("the images have no labels.")
        return labelled

    def available(self, wanted: int) -> int:
        """How many of some images `sample` can give; all of them without a datamodule."""
        return wanted if self.data is None else min(wanted, len(self.data.sources["val"]))

    def first(self, num_images: int) -> tuple[Tensor, Tensor]:
        """The first images of the split and their labels; without a datamodule as `sample`."""
        if self.data is None:
            return self.sample(num_images)
        device = self.sample(1)[0].device
        labels = torch.from_numpy(self.data.sources[self.split].labels[:num_images])
        return self.read(range(len(labels))).to(device), labels.to(device)

    def read(self, indices: Sequence[int]) -> Tensor:
        """Images of the split, (n, C, H, W) in [0, 1], on the CPU; see `Predictions.indices`."""
        return self.data.images(self.split, indices)


@dataclass(eq=False)
class Picture(ABC):
    """Base class of pictures: a subclass says what it is called and where it is shown, and draws.

    `draw` yields what there is to log, each item with a name. A figure is logged to the image grid
    as `<split>/<name>` at its epoch, or as `figures/<split>_<name>.png` if it is drawn once; a
    table as `tables/<name>_<split>.json`, a number as the metric `<split>/<name>`, a text as the
    artifact `<name>`, and a notice in the description of the run. Drawing leaves the model
    unchanged: its hooks, gradients and modes.

    A subclass sets `name`, its key under `pictures` in YAML, and `kinds`, the kinds of its figures.
    It may set `splits`, the splits after whose evaluation it is drawn, `needs_labels`, so that
    `explain` does not offer it, and `costly`, if it keeps to the `allowance`. Then `fewest_passes`
    is what its smallest version takes.

    Attributes:
        when: Epochs after which it is drawn: `doubling` for 0, 1, 2, 4, 8, … and the last; `last`;
            or a number n for every n-th epoch and the last.

    Raises:
        ValueError: If `when` is a number below 1.
    """

    name: ClassVar[str]
    kinds: ClassVar[tuple[FigureKind, ...]] = ()
    splits: ClassVar[tuple[str, ...]] = ("val",)
    needs_labels: ClassVar[bool] = False
    costly: ClassVar[bool] = False

    when: When = "doubling"

    def __post_init__(self) -> None:
        """Check the settings."""
        if isinstance(self.when, int) and self.when < 1:
            raise ValueError(f"pictures.{self.name}.when is {self.when}; expected 1 or more.")

    @property
    def fewest_passes(self) -> float:
        """Forward passes of one image that the picture takes at least, about."""
        return 0.0

    def begin(self, model: nn.Module, data: ImageData) -> None:  # noqa: B027 - most need nothing
        """Check the settings against the network and the data, before training.

        Raises:
            ValueError: If a layer, class or image that the settings name does not exist.
        """

    def tables(self, context: PictureContext) -> Iterator[PictureOutput]:
        """The final tables of the picture, which `draw` yields too, without drawing a figure.

        Raises:
            NothingToShow: See `draw`.
        """
        yield from ()

    @abstractmethod
    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """Draw the figures; see the class for what is yielded.

        Raises:
            NothingToShow: If the picture is not possible for this network or these data.
        """


@contextmanager
def setting(name: str) -> Iterator[None]:
    """Begin the message of a `ValueError` with the name of the setting that caused it."""
    try:
        yield
    except NothingToShow:
        raise
    except ValueError as error:
        raise ValueError(f"pictures.{name}: {error}") from error


def is_due(when: When, epochs: range) -> bool:
    """Whether to draw a picture now; never for `last`, which is drawn at the end of the fit.

    Args:
        when: See `Picture`.
        epochs: Epochs since pictures were last drawn, up to the current one.
    """
    if when == "last":
        return False
    if when == "doubling":
        return any(epoch & (epoch - 1) == 0 for epoch in epochs)
    return any(epoch % when == 0 for epoch in epochs)
