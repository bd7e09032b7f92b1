"""Sanity checks of the explanations: do the maps depend on the weights, do their pixels matter?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.picture import Picture, PictureContext, PictureOutput, When, setting
from callbacks.plots.drawing.texts import counted
from callbacks.plots.sanity_checks import CheckResult, plot_sanity_checks
from callbacks.trainer_parts import ImageData
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

FEW, LARGE = 8, 128 * 128  # images, and pixels from which the forward passes of an image are slow
FEWEST, FEWEST_STEPS, FEWEST_STAGES = 2, 5, 2  # images and so on, whatever the limit
PASS = 3  # a map takes a forward and a backward pass, in forward passes
RANDOM = "random"  # pixels in a random order, to which the methods are compared


@dataclass(eq=False)
class SanityChecks(Picture):
    """Sanity checks of the explanations: do they depend on the weights, do their pixels matter?

    Randomization (Adebayo et al., 2018): the maps of a method are computed again while the weights
    are randomized, layer after layer from the output on. Deletion and insertion (Petsiuk et al.,
    2018): pixels are removed from the image, or added to an empty one, in the order of the map.

    The metrics are `honesty_<method>_randomization`, the rank correlation of the maps with those of
    a completely randomized network, and `honesty_<method>_deletion` and `_insertion`, the areas
    under the curves; `honesty_random_…` are those of a random order of pixels.

    Attributes:
        when: See `Picture`.
        methods: Methods of class activation and saliency to check, by their names.
        layer: Layer for class activation; None for the deepest one that still has a feature map.
        num_images: Validation images to check with; None for 8, or 4 if they are large. Each takes
            several forward passes, about 170 with the default settings.
        num_steps: Steps of the deletion and insertion curves.
        num_stages: Stages in which the weights are randomized.
    """

    name: ClassVar[str] = "honesty"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("honesty", "network"),)
    costly: ClassVar[bool] = True

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

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        images, num_steps, num_stages = self._affordable(context)
        with torch.no_grad():
            classes = context.model(images).argmax(dim=1)
        randomized = self._randomize(context.model, images, classes, num_stages)
        orders = {name: each.maps[0] for name, each in randomized.items()}
        curves = {
            name: _curves(context.model, images, maps, classes, num_steps)
            for name, maps in {**orders, RANDOM: random_maps(images)}.items()
        }
        results = {
            name: CheckResult(
                each.correlations.nanmean(dim=1).nan_to_num().cpu().numpy(),
                *(curve.mean(dim=0).cpu().numpy() for curve in curves[name]),
            )
            for name, each in randomized.items()
        }
        yield self.name, _figure(context, images, randomized, results, curves[RANDOM])
        for name, (deletion, insertion) in curves.items():
            yield f"{self.name}_{name}_deletion", area(deletion).mean().item()
            yield f"{self.name}_{name}_insertion", area(insertion).mean().item()
        for name, result in results.items():
            yield f"{self.name}_{name}_randomization", float(result.correlations[-1])

    def _affordable(self, context: PictureContext) -> tuple[Tensor, int, int]:
        """Images, and numbers of steps and stages: fewer images come before fewer steps."""
        wanted, methods = self.num_images or FEW, len(self.methods)
        if self.num_images is None and context.sample(1)[0][0, 0].numel() > LARGE:
            wanted //= 2
        removals = 2 * (methods + 1)  # forward passes for a step of the curves
        maps = PASS * methods  # for a stage
        each = removals * (self.num_steps + 1) + maps * (self.num_stages + 1)
        number = context.allowance.affordable(wanted, each, FEWEST)
        num_steps = context.allowance.affordable(
            self.num_steps, number * each / self.num_steps, FEWEST_STEPS
        )
        num_stages = context.allowance.affordable(
            self.num_stages, number * each / self.num_stages, FEWEST_STAGES
        )
        return context.sample(number)[0], num_steps, num_stages

    def _randomize(
        self, model: nn.Module, images: Tensor, classes: Tensor, num_stages: int
    ) -> dict[str, Randomization]:
        """Maps of each method that works for the network, while its weights are randomized."""
        found, reasons = {}, []
        for method in self.methods:
            try:
                explain = explanation(method, model, images, self.layer)
                found[method] = randomization(model, explain, images, classes, num_stages)
            except NothingToShow as reason:
                reasons.append(str(reason))
        if not found:
            raise NothingToShow(" ".join(reasons) or "there is no method to check.")
        return found


def _curves(
    model: nn.Module, images: Tensor, maps: Tensor, classes: Tensor, num_steps: int
) -> tuple[Tensor, Tensor]:
    """Deletion and insertion curves."""
    deletion = deletion_curve(model, images, maps, classes, num_steps=num_steps)
    return deletion, insertion_curve(model, images, maps, classes, num_steps=num_steps)


def _figure(
    context: PictureContext,
    images: Tensor,
    randomized: dict[str, Randomization],
    results: dict[str, CheckResult],
    chance: tuple[Tensor, Tensor],
) -> Figure:
    """The figure with the maps of one image, the first for which no method gives a flat map."""
    maps = torch.stack([each.maps for each in randomized.values()])
    spreads = maps[:, 0].flatten(2).std(dim=2).amin(dim=0)
    shown = int((spreads > 0).int().argmax())
    layers = next(iter(randomized.values())).layers
    return plot_sanity_checks(
        images[shown].movedim(0, -1).cpu().numpy(),
        [short_name(context.model, layer) for layer in layers],
        dict(zip(randomized, maps[:, :, shown].cpu().numpy(), strict=True)),
        results,
        (chance[0].mean(dim=0).cpu().numpy(), chance[1].mean(dim=0).cpu().numpy()),
        f"Sanity checks of the explanations, {context.title}: {counted(len(images), 'image')}",
    )
