"""Pictures of the first layer's filters."""

from dataclasses import dataclass
from typing import ClassVar

from lightning.pytorch import Trainer
from matplotlib.figure import Figure

from callbacks.plots import plot_filters
from callbacks.visualizer import Visualizer
from models import ImageClassifier
from models.explain import filters_of, first_convolution


@dataclass(eq=False)
class FilterVisualizer(Visualizer):
    """Show the filters of the convolution that sees the image.

    Attributes:
        every_n_epochs: Draw after every n-th epoch of a fit.
        num_filters: Filters in the picture, the first of the layer.
    """

    name: ClassVar[str] = "filters"

    num_filters: int = 64

    def draw(self, model: ImageClassifier, trainer: Trainer) -> Figure:
        """See `Visualizer`."""
        layer, convolution = first_convolution(model.backbone)
        filters = filters_of(convolution, self.num_filters)
        return plot_filters(filters.numpy(), f"{layer}, epoch {trainer.current_epoch}")
