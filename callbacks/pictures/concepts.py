"""Concepts: the parts that recur in the images of a class, and what its logit owes to each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from callbacks.figure_kind import FigureKind
from callbacks.pictures.allowance import BUDGET
from callbacks.pictures.class_images import ClassImages
from callbacks.pictures.concept_rows import COLUMNS, add_rows, crop_size, sheet_rows
from callbacks.pictures.half_size import half_sized
from callbacks.pictures.picture import (
    Picture,
    PictureContext,
    PictureOutput,
    Table,
    When,
    setting,
)
from callbacks.plots.concepts import plot_concepts
from callbacks.trainer_parts import ImageData
from models.ensemble import networks_of
from models.explain import NothingToShow, find_layer, last_feature_map, short_name
from models.explain.concepts import CutNetwork, crop_boxes, find_concepts
from models.explain.work import counted_operations, speed_of

MOST, LEAST, FEWEST = 24, 8, 4  # images of a class: at best, of a large network, and at all
CLASSES = 6  # that are shown unless they are named
SECONDS = 20  # of a typical device; see `models.explain.work`
PATIENCE = 3  # as many times longer for images of the user, who waits for them
MORE_PASSES = 4  # of a whole image, beside one of each crop
HALF = 0.5  # size of the crops relative to the images if the budget is small


@dataclass(eq=False)
class Concepts(Picture):
    """Concepts: recurring parts of the images of a class, and how important each is (CRAFT).

    A sheet for each class has a row for each concept, the most important first: the crops and the
    images that show it most. See `models.explain.concepts`. The table `concepts` has the figures.

    Attributes:
        when: See `Picture`.
        classes: Names of the classes; None for six, those that are predicted most often.
        num_concepts: Concepts of each class.
        num_images: Images of each class, which the network predicts as such, with 20 forward
            passes each; None for 24, or fewer (and fewer classes) if the network is large.
        crop: Side of the crops relative to that of the images, in (0, 1].
        layer: Layer to explain, such as `layer4`; None for the deepest one that still has a
            feature map. What follows an earlier one is computed 500 times for each image.

    Raises:
        ValueError: If a number is out of range.
    """

    name: ClassVar[str] = "concepts"
    kinds: ClassVar[tuple[FigureKind, ...]] = (FigureKind("concepts", "network"),)
    costly: ClassVar[bool] = True

    when: When = "last"
    classes: tuple[str, ...] | None = None
    num_concepts: int = 6
    num_images: int | None = None
    crop: float = 1 / 3
    layer: str | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        for option, least in (("num_concepts", 2), ("num_images", FEWEST)):
            value = getattr(self, option)
            if value is not None and value < least:
                raise ValueError(
                    f"pictures.{self.name}.{option} is {value}; expected {least} or more."
                )
        with setting(self.name):
            crop_boxes((100, 100), self.crop)

    @property
    def fewest_passes(self) -> float:
        """See `Picture`: one class, with few images, whose crops have half the size."""
        return FEWEST * (len(crop_boxes((100, 100), self.crop)) * HALF**2 + MORE_PASSES)

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """See `Picture`."""
        self._indices(data.class_names)
        if self.layer is not None:
            with setting(f"{self.name}.layer"):
                find_layer(model, self.layer)

    def draw(self, context: PictureContext) -> Iterator[PictureOutput]:
        """See `Picture`."""
        network, layer = self._network(context)
        images = ClassImages(context)
        targets, number, scale = self._affordable(context, images)
        table: Table = {column: [] for column in COLUMNS}
        for target in targets:
            of_class, trained_on = images.of(target, number)
            if len(of_class) < FEWEST:
                continue
            found = find_concepts(network, of_class, target, self.num_concepts, self.crop, scale)
            name = context.class_names[target]
            limited = context.allowance.exhausted and len(of_class) == number < MOST
            title = (
                f"Concepts of the class {name}, {context.title}: {len(of_class)} images that are "
                f"predicted as it{f', {trained_on} of the training' if trained_on else ''}"
                f"{f' (limit: {BUDGET})' * limited}\n"
                f"Layer {layer}{crop_size(scale)}; the concepts reproduce {found.explained:.0%} of "
                "the activations of the crops"
            )
            rows = [*sheet_rows(of_class, found, self.crop)]
            yield f"{self.name}/{name.replace('/', '_')}", plot_concepts(rows, title)
            add_rows(table, name, len(of_class), found)
        if not table["class"]:
            raise NothingToShow(f"it needs {FEWEST} images that are predicted as one class.")
        yield self.name, table

    def _indices(self, class_names: tuple[str, ...]) -> list[int]:
        """Indices of the classes that the settings name."""
        known = ", ".join(class_names[:CLASSES]) + ", …" * (len(class_names) > CLASSES)
        for name in self.classes or ():
            if name not in class_names:
                raise ValueError(
                    f"pictures.{self.name}.classes has {name!r}; expected names of classes: "
                    f"{known}."
                )
        return [list(class_names).index(name) for name in self.classes or ()]

    def _network(self, context: PictureContext) -> tuple[CutNetwork, str]:
        """The network with its layer, and the name of the layer."""
        model, image = context.model, context.sample(1)[0]
        if len(networks_of(model)) > 1:
            raise NothingToShow("an ensemble has no concepts; explain one of its networks.")
        name, to_map = self.layer or "", None
        if self.layer is None:
            name, to_map = last_feature_map(model, image)
        with setting(f"{self.name}.layer"):
            name = find_layer(model, name)
        return CutNetwork(model, model.get_submodule(name), to_map), short_name(model, name)

    def _affordable(
        self, context: PictureContext, images: ClassImages
    ) -> tuple[list[int], int, float]:
        """Classes to show, the number of images of each, and the size of the crops."""
        named = self._indices(tuple(context.class_names))
        targets = named or images.most_frequent()[:CLASSES]
        if self.num_images is not None:
            return targets, self.num_images, 1.0
        image = context.sample(1)[0]
        with torch.no_grad(), counted_operations() as counter:
            context.model(image)
        crops = len(crop_boxes(image.shape[2:], self.crop))
        passes = crops + MORE_PASSES
        seconds = SECONDS * (PATIENCE if context.data is None else 1)
        possible = seconds * speed_of(image.device) / (passes * counter.operations + 1)
        allowed = min(possible, context.allowance.passes / passes)
        most = max((images.number_of(target) for target in targets), default=0)
        most = min(max(most, LEAST), MOST) * len(targets)
        context.allowance.exhausted |= allowed < min(possible, most)
        if not named and allowed < LEAST and targets:
            less = allowed * passes / (crops * HALF**2 + MORE_PASSES)
            if less >= FEWEST - 1e-6 and half_sized(context) is not None:
                return targets[:1], min(int(less + 1e-6), LEAST), HALF
        targets = named or targets[: int(allowed / LEAST)]
        if not targets:
            raise NothingToShow(
                f"even {FEWEST} images of a class would exceed pictures.budget, or {seconds} "
                "seconds of a typical device; pictures.concepts.num_images sets their number."
            )
        return targets, min(max(int(allowed / len(targets)), LEAST), MOST), 1.0
