"""Sanity checks of the explanations: do the maps depend on the weights, do their pixels matter?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.doubts import sentences
from callbacks.pictures.picture import (
    Notice,
    Picture,
    PictureContext,
    PictureOutput,
    When,
    setting,
)
from callbacks.pictures.sanity_check_figure import checks_figure, verdict_table
from callbacks.plots.sanity_checks import CheckResult
from callbacks.trainer_parts import ImageData
from models.explain import NothingToShow, find_layer
from models.explain.sanity_checks import (
    Randomization,
    RemovalCurves,
    Verdict,
    area,
    check_method,
    explanation,
    judge,
    moved_maps,
    random_maps,
    randomization,
)
from models.explain.sanity_checks.verdict import LEAST

MANY, FEW, LARGE = 16, 8, 128 * 128  # images; few of them from this number of pixels on
FEWEST, FEWEST_STEPS, FEWEST_STAGES = 1, 2, 1  # images and so on, whatever the limit
PASS = 2  # a map takes a forward pass and one back to the image, in forward passes
RANDOM = "random"  # pixels in a random order, to which the methods are compared


@dataclass(eq=False)
class SanityChecks(Picture):
    """Sanity checks of the explanations: do they depend on the weights, do their pixels matter?

    Randomization (Adebayo et al., 2018): the maps of a method are computed again while the weights
    are randomized, layer after layer from the output on. Deletion and insertion (Petsiuk et al.,
    2018): pixels are removed from the image, or added to an empty one, in the order of the map.

    The metrics are `honesty_<method>_randomization`, the rank correlation of the maps with those of
    a completely randomized network, and `honesty_<method>_deletion` and `_insertion`, the areas
    under the curves; `honesty_random_…` are those of a random order of pixels. The verdict (see
    `Verdict`) is in the table `honesty`, in titles, and in the description of the run.

    Attributes:
        when: See `Picture`.
        methods: Methods of class activation and saliency to check, by their names; `auto` is the
            one that the picture `grad_cam` shows by default.
        layer: Layer for class activation; None for the deepest one that still has a feature map.
        num_images: Validation images to check with; None for 16, or 8 if they are large. Each takes
            many forward passes, 100 with the default settings. Fewer than six allow no verdict.
        num_steps: Steps of the deletion and insertion curves.
        num_stages: Stages in which the weights are randomized.
    """

    name: ClassVar[str] = "honesty"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("honesty", "network"),)
    costly: ClassVar[bool] = True

    when: When = "last"
    methods: tuple[str, ...] = ("auto", "vanilla")
    layer: str | None = None
    num_images: int | None = None
    num_steps: int = 10
    num_stages: int = 6

    @property
    def fewest_passes(self) -> float:
        """See `Picture`: one image, the half of its pixels removed, all weights randomized."""
        return self._passes(FEWEST_STEPS, FEWEST_STAGES)

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
        removal = RemovalCurves(context.model, images, classes, num_steps)
        curves = {
            name: (removal.deletion(maps), removal.insertion(maps))
            for name, maps in {**orders, RANDOM: random_maps(images)}.items()
        }
        verdicts = _verdicts(removal, randomized, curves)
        context.doubts.update({name: each.reasons() for name, each in verdicts.items()})
        results = {
            name: CheckResult(
                each.correlations.nanmean(dim=1).nan_to_num().cpu().numpy(),
                curves[name][0].mean(dim=0).cpu().numpy(),
                curves[name][1].mean(dim=0).cpu().numpy(),
                verdicts[name].elsewhere,
            )
            for name, each in randomized.items()
        }
        doubts = sentences(context.doubts)
        count = self._count(context, len(images), num_steps)
        yield (
            self.name,
            checks_figure(context, images, randomized, results, curves[RANDOM], doubts, count),
        )
        yield self.name, verdict_table(verdicts)
        yield self.name, Notice(" ".join(doubts))
        for name, (deletion, insertion) in curves.items():
            yield f"{self.name}_{name}_deletion", area(deletion).mean().item()
            yield f"{self.name}_{name}_insertion", area(insertion).mean().item()
        for name, result in results.items():
            yield f"{self.name}_{name}_randomization", float(result.correlations[-1])

    def _affordable(self, context: PictureContext) -> tuple[Tensor, int, int]:
        """Images, and numbers of steps and stages.

        Fewer images come before fewer steps, but those of a verdict before half of the steps.
        """
        wanted, allowance = self._wanted(context), context.allowance
        each = self._passes(self.num_steps, self.num_stages)
        number = allowance.affordable(wanted, each, FEWEST)
        half = self._passes(max(self.num_steps // 2, FEWEST_STEPS), max(self.num_stages // 2, 1))
        if number < LEAST <= wanted and LEAST * half <= allowance.passes:
            number = LEAST
        if number * each <= allowance.passes:
            return context.sample(number)[0], self.num_steps, self.num_stages
        least = number * self._passes(FEWEST_STEPS, 0)
        spare = max(allowance.passes - least, 0) / 2  # each gets half of what is left
        stages = allowance.affordable(
            self.num_stages, number * PASS * len(self.methods), FEWEST_STAGES, least + spare
        )
        steps = allowance.affordable(
            self.num_steps, number * self._removals, FEWEST_STEPS, number * self._passes(0, stages)
        )
        return context.sample(number)[0], steps, stages

    def _wanted(self, context: PictureContext) -> int:
        """Images without a limit."""
        large = context.sample(1)[0][0, 0].numel() > LARGE
        return context.available(self.num_images or (FEW if large else MANY))

    def _count(self, context: PictureContext, number: int, num_steps: int) -> str:
        """The part of the title that gives the number of images and steps."""
        fewer = f", {num_steps} of {self.num_steps} steps" * (num_steps < self.num_steps)
        return context.allowance.counted(number, self._wanted(context), fewer)

    @property
    def _removals(self) -> int:
        """Forward passes for a step of the curves."""
        return 3 * len(self.methods) + 2

    def _passes(self, num_steps: int, num_stages: int) -> float:
        """Forward passes for an image: its class, the ends of the curves, and what is between."""
        maps = PASS * len(self.methods) * (num_stages + 1)
        return 1 + 3 + self._removals * (num_steps - 1) + maps

    def _randomize(
        self, model: nn.Module, images: Tensor, classes: Tensor, num_stages: int
    ) -> dict[str, Randomization]:
        """Maps of each method that works for the network, while its weights are randomized."""
        found, reasons = {}, []
        for method in self.methods:
            try:
                name, explain = explanation(method, model, images, self.layer)
                found[name] = randomization(model, explain, images, classes, num_stages)
            except NothingToShow as reason:
                reasons.append(str(reason))
        if not found:
            raise NothingToShow(" ".join(reasons) or "there is no method to check.")
        return found


def _verdicts(
    removal: RemovalCurves,
    randomized: dict[str, Randomization],
    curves: dict[str, tuple[Tensor, Tensor]],
) -> dict[str, Verdict]:
    verdicts = {}
    for name, each in randomized.items():
        areas = area(curves[name][0]), area(removal.deletion(moved_maps(each.maps[0])))
        verdicts[name] = judge(each.maps[0], each.correlations[-1], *areas)
    return verdicts
