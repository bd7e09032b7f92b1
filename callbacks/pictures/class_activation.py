"""Class-activation maps of the probe images: where the evidence is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from callbacks.pictures.explained import Explained, class_to_explain, explained
from callbacks.pictures.picture import Picture, Scene, Shown, setting
from callbacks.plots import plot_overlays
from callbacks.run import ImageData
from models.explain import CLASS_ACTIVATIONS, find_layer, last_feature_map, short_name
from models.explain.map_layout import ToMap

Method = Literal[
    "grad_cam", "grad_cam_plus_plus", "hires_cam", "layer_cam", "eigen_cam", "score_cam"
]


@dataclass(eq=False)
class ClassActivation(Picture):
    """Show where the evidence for a class lies in each probe image.

    The picture is called after its method, so that runs compare like with like.

    Attributes:
        when: See `Picture`.
        method: How the channels of the layer are put together; Score-CAM costs a forward pass a
            channel and image.
        num_images: Validation images in the picture.
        layer: Layer to explain, `layer4.2.conv3`; None for the deepest one whose output still is
            a picture.
        explain: The class to explain: the one that is `predicted`, the `true` one, or one by name.

    Raises:
        ValueError: If there is to be no image.
    """

    name: ClassVar[str] = "grad_cam"

    method: Method = "grad_cam"
    num_images: int = 12
    layer: str | None = None
    explain: str = "predicted"

    _found = None  # type: WeakKeyDictionary[nn.Module, tuple[str, ToMap]] | None

    def __post_init__(self) -> None:
        """Refuse an empty picture."""
        super().__post_init__()
        if self.num_images < 1:
            raise ValueError(
                f"pictures.grad_cam.num_images is {self.num_images}; expected 1 or more."
            )

    def begin(self, model: nn.Module, data: ImageData) -> None:
        """See `Picture`."""
        class_to_explain(self.explain, data.class_names, self.name)
        if self.layer is not None:
            self._named(model, self.layer)

    def draw(self, scene: Scene) -> Iterator[Shown]:
        """See `Picture`."""
        asked, maps, name = self.find_evidence(scene)
        place = f"{short_name(scene.model, name)}, {scene.title}"
        yield (
            self.method,
            plot_overlays(
                asked.images.movedim(1, -1).cpu().numpy(),
                maps.float().cpu().numpy(),
                asked.captions,
                asked.colors,
                f"where the evidence for {asked.what} lies\n{place}",
            ),
        )

    def find_evidence(self, scene: Scene) -> tuple[Explained, Tensor, str]:
        """What is explained, its maps (N, H, W) in [0, 1], and the layer that they come from."""
        asked = explained(scene, self.num_images, self.explain, self.name)
        name, to_map = self._layer(scene.model, asked.images)
        layer = scene.model.get_submodule(name)
        explain = CLASS_ACTIVATIONS[self.method]
        return asked, explain(scene.model, layer, asked.images, asked.classes, to_map), name

    def _named(self, model: nn.Module, layer: str) -> str:
        with setting(f"{self.name}.layer"):
            return find_layer(model, layer)

    def _layer(self, model: nn.Module, images: Tensor) -> tuple[str, ToMap | None]:
        """The layer to explain; looked for once a network, so that epochs compare."""
        if self.layer is not None:
            return self._named(model, self.layer), None
        if self._found is None:  # not sooner: the command line shows what a new picture holds
            self._found = WeakKeyDictionary()
        if model not in self._found:
            self._found[model] = last_feature_map(model, images)
        return self._found[model]
