"""Pictures of filters: what a layer looks for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from callbacks.pictures.picture import Picture, Scene, Shown
from callbacks.plots import plot_filters
from models.explain import filters_of, first_convolution


@dataclass(eq=False)
class Filters(Picture):
    """Show the filters of the convolution that sees the image.

    Attributes:
        when: See `Picture`.
        num_filters: Filters in the picture, the first of the layer.
    """

    name: ClassVar[str] = "filters"

    num_filters: int = 64

    def draw(self, scene: Scene) -> Iterator[Shown]:
        """See `Picture`."""
        layer, convolution = first_convolution(scene.model)
        filters = filters_of(convolution, self.num_filters)
        yield self.name, plot_filters(filters.numpy(), f"{layer}, {scene.title}")
