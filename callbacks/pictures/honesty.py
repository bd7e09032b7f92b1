"""Whether the other pictures can be believed: tests of what explains the network."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from callbacks.pictures.picture import Picture, Scene, Shown, When, setting
from callbacks.plots.drawing.texts import counted
from callbacks.plots.honesty import Verdict, plot_honesty
from callbacks.run import ImageData
from models.explain import NothingToShow, find_layer, short_name
from models.explain.sanity_checks import (
    Randomization,
    area,
    check_method,
    deletion_curve,
    explanation,
    insertion_curve,
    random_maps,
    randomization,
)

FEW, LARGE = 8, 128 * 128  # images, and pixels of one whose forward passes take long
RANDOM = "random"  # what stands for an order that knows nothing


@dataclass(eq=False)
class Honesty(Picture):
    """Test whether explanations depend on the weights, and whether the pixels they name matter.

    Each is made again by copies of the network that lose their weights from the output on; then
    pixels are removed, and uncovered, in its order. Numbers are `honesty_<method>_randomization`,
    the rank correlation with a network that has lost everything, and `_deletion` and `_insertion`,
    the areas under the curves; those of a random order are `honesty_random_…`.

    Attributes:
        when: See `Picture`.
        methods: What is tested: methods of class activation and of saliency, by their names.
        layer: Layer of the former; None for the deepest one whose output still is a picture.
        num_images: Validation images to test with; None for eight, or four larger ones. Each costs
            some forward passes a step and method, 130 with what is set here.
        num_steps: Steps from the whole image to none of it.
        num_stages: Stages in which the network loses its weights.
    """

    name: ClassVar[str] = "honesty"

    when: When = "last"
    methods: tuple[str, ...] = ("grad_cam", "vanilla")
    layer: str | None = None
    num_images: int | None = None
    num_steps: int = 20
    num_stages: int = 6

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """See `Picture`."""
        for method in self.methods:
            check_method(method)
        if self.layer is not None:
            with setting(f"{self.name}.layer"):
                find_layer(model, self.layer)

    def draw(self, scene: Scene) -> Iterator[Shown]:
        """See `Picture`."""
        images, _ = scene.sample(self.num_images or FEW)
        if self.num_images is None and images[0, 0].numel() > LARGE:
            images, _ = scene.sample(FEW // 2)
        with torch.no_grad():
            classes = scene.model(images).argmax(dim=1)
        found = self._forget(scene.model, images, classes)
        orders = {name: forgotten.maps[0] for name, forgotten in found.items()}
        curves = {
            name: _curves(scene.model, images, maps, classes, self.num_steps)
            for name, maps in {**orders, RANDOM: random_maps(images)}.items()
        }
        verdicts = {
            name: Verdict(
                forgotten.correlations.nanmean(dim=1).nan_to_num().cpu().numpy(),
                *(curve.mean(dim=0).cpu().numpy() for curve in curves[name]),
            )
            for name, forgotten in found.items()
        }
        yield self.name, _figure(scene, images, found, verdicts, curves[RANDOM])
        for name, (deletion, insertion) in curves.items():
            yield f"{self.name}_{name}_deletion", area(deletion).mean().item()
            yield f"{self.name}_{name}_insertion", area(insertion).mean().item()
        for name, result in verdicts.items():
            yield f"{self.name}_{name}_randomization", float(result.correlations[-1])

    def _forget(
        self, model: nn.Module, images: Tensor, classes: Tensor
    ) -> dict[str, Randomization]:
        """What becomes of the maps of each method that the network has something for."""
        found, reasons = {}, []
        for method in self.methods:
            try:
                explain = explanation(method, model, images, self.layer)
                found[method] = randomization(model, explain, images, classes, self.num_stages)
            except NothingToShow as reason:
                reasons.append(str(reason))
        if not found:
            raise NothingToShow(" ".join(reasons) or "no method is asked for.")
        return found


def _curves(
    model: nn.Module, images: Tensor, maps: Tensor, classes: Tensor, num_steps: int
) -> tuple[Tensor, Tensor]:
    """Deletion and insertion."""
    deletion = deletion_curve(model, images, maps, classes, num_steps=num_steps)
    return deletion, insertion_curve(model, images, maps, classes, num_steps=num_steps)


def _figure(
    scene: Scene,
    images: Tensor,
    found: dict[str, Randomization],
    verdicts: dict[str, Verdict],
    chance: tuple[Tensor, Tensor],
) -> Figure:
    """One image stands for all: the first of which each method makes more than a flat map."""
    maps = torch.stack([forgotten.maps for forgotten in found.values()])
    spreads = maps[:, 0].flatten(2).std(dim=2).amin(dim=0)
    shown = int((spreads > 0).int().argmax())
    layers = next(iter(found.values())).layers
    return plot_honesty(
        images[shown].movedim(0, -1).cpu().numpy(),
        [short_name(scene.model, layer) for layer in layers],
        dict(zip(found, maps[:, :, shown].cpu().numpy(), strict=True)),
        verdicts,
        (chance[0].mean(dim=0).cpu().numpy(), chance[1].mean(dim=0).cpu().numpy()),
        f"are the pictures honest? {counted(len(images), 'image')}, {scene.title}",
    )
