"""What a picture is: one question about a network, and what may be looked at to answer it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from matplotlib.figure import Figure
from torch import Tensor, nn

from callbacks.outputs import Outputs
from callbacks.run import ImageData
from models.evaluation.predictions import Predictions
from models.explain import NothingToShow

When = Literal["doubling", "last"] | int
Table = dict[str, list[Any]]  # columns by name, all of one length
Shown = tuple[str, Figure | Table | float | str]  # name, and a figure, a table, a number or a text


@dataclass(frozen=True, eq=False)
class Scene:
    """What a picture may look at.

    Attributes:
        model: Maps images in [0, 1] to logits. It is in eval mode, and gradients can be taken.
        class_names: Names of the classes.
        sample: `sample(n)` gives the same n images at every call, (n, C, H, W) in [0, 1], spread
            over the classes, on the device of the model, and their labels (n,), -1 where unknown.
        title: When or of what: `epoch 4`, `test`.
        split: The images that `outputs` are about: `val`, `test`, or `images` that a user names.
        final: Whether this is the last time in its run, so that tables and summaries are due.
        outputs: Outputs for the images of the split; None if there was no pass over it.
        data: Where the images come from; None outside a run with a datamodule.
        names: `names(n)` are those of the images of `sample(n)`, where a user has named them.
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

    def read(self, indices: Sequence[int]) -> Tensor:
        """Images of the split, (n, C, H, W) in [0, 1], on the CPU; see `Predictions.indices`."""
        return self.data.images(self.split, indices)


@dataclass(eq=False)
class Picture(ABC):
    """Base of what a run shows of a network; a subclass only draws.

    `draw` yields what it shows, each under a name: a figure goes into the image grid as
    `<split>/<name>` at its epoch, or to `figures/<split>_<name>.png` if it is drawn once; a table
    to `tables/<name>_<split>.json`; a number becomes the metric `<split>/<name>`, and a text the
    artifact `<name>`. Drawing leaves the model as it was: no hook, no gradient, no changed mode.

    Attributes:
        when: Epochs to draw after: `doubling` for 0, 1, 2, 4, 8, … and the last; `last`; or a
            number n, for every n-th and the last.

    Raises:
        ValueError: If that number is not positive.
    """

    name: ClassVar[str]
    splits: ClassVar[tuple[str, ...]] = ("val",)  # passes after which it is drawn
    needs_labels: ClassVar[bool] = False  # so that it is of no use for images that a user names

    when: When = "doubling"

    def __post_init__(self) -> None:
        """Refuse a schedule that never comes."""
        if isinstance(self.when, int) and self.when < 1:
            raise ValueError(f"pictures.{self.name}.when is {self.when}; expected 1 or more.")

    def begin(self, model: nn.Module, data: ImageData) -> None:  # noqa: B027 - most have no use
        """Look at network and data before training, and refuse settings that do not fit them.

        Raises:
            ValueError: If there is no layer, class or image of the kind that is asked for.
        """

    @abstractmethod
    def draw(self, scene: Scene) -> Iterator[Shown]:
        """Draw what there is to see.

        Raises:
            NothingToShow: If the network, or the data, have nothing of the kind.
        """


@contextmanager
def setting(name: str) -> Iterator[None]:
    """Say which setting it is that names what the network has not."""
    try:
        yield
    except NothingToShow:
        raise
    except ValueError as error:
        raise ValueError(f"pictures.{name}: {error}") from error


def is_due(when: When, epochs: range) -> bool:
    """Whether a picture is to be drawn after the last of these epochs; `last` never is.

    Args:
        when: See `Picture`.
        epochs: Those since the last time that one could have been drawn.
    """
    if when == "last":
        return False
    if when == "doubling":
        return any(epoch & (epoch - 1) == 0 for epoch in epochs)
    return any(epoch % when == 0 for epoch in epochs)
