"""Description of an exported network, which every file holds; standard library only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

Resize = Literal["squeeze", "crop", "pad"]

RESIZE_RULES: dict[str, str] = {
    "squeeze": "The whole image is resized to the square; its proportions change.",
    "crop": "The largest square in the middle of the image is cut out and resized.",
    "pad": "The image is resized to fit into the square, and centred between two black bars.",
}
HOW = (
    "An image is rotated by its EXIF data, and transparent parts become white. To shrink it, whole "
    "blocks of pixels are averaged first, and the rest is interpolated bilinearly; enlarging is "
    "bicubic. A JPEG file is decoded at 1/8, 1/4 or 1/2 of its size if this leaves at least as "
    "many pixels as the square has, and then shrunk with Pillow's bilinear filter."
)


@dataclass(frozen=True)
class Description:
    """What a program has to know of a network to use it, and where the network comes from.

    Attributes:
        class_names: Name of each class, in the order of the outputs.
        image_size: Side in pixels of the square images that it was trained on.
        num_channels: 1 for grey images, 3 for RGB.
        resize: How an image becomes a square: a key of `RESIZE_RULES`.
        temperature: Divides the logits; 1 if none was fitted.
        temperature_origin: Where it comes from.
        set_levels: Levels of prediction sets; none if the checkpoint has no thresholds.
        set_thresholds: For each level, the largest probability of all more probable classes that a
            class in the set may have; of the softmax of the logits, without the temperature.
        set_thresholds_by_class: The same for each class at 90 %.
        unknown_threshold: Cosine below which an image is unknown; none if there is no such output.
        input_type: Type of the input: `uint8` or `float32`. Either way its values are in 0…255.
        any_size: Whether the network takes images of other sizes than `image_size`, too.
        min_size: The smallest side that it takes, if it takes others.
        mean: Mean of each channel of images in [0, 1]; the network itself subtracts it.
        std: Standard deviation of each channel; the network itself divides by it.
        network: What the network is: the name of its backbone.
        run_id: Run that trained it; empty if it is not known.
        run_name: Name of that run.
        epoch: Epoch of the checkpoint, counted from 0; -1 if it is not known.
        data_digest: Digest of the training images and their labels, as the run has recorded it.
        version: Version of this package.
        torch_version: Version of torch that wrote the file.
        kind: What was done to the weights: `float32` or `int8`.
    """

    class_names: tuple[str, ...]
    image_size: int
    num_channels: int = 3
    resize: Resize = "squeeze"
    temperature: float = 1.0
    temperature_origin: str = ""
    set_levels: tuple[float, ...] = field(default=())
    set_thresholds: tuple[float, ...] = field(default=())
    set_thresholds_by_class: tuple[float, ...] = field(default=())
    unknown_threshold: float | None = None
    input_type: Literal["uint8", "float32"] = "uint8"
    any_size: bool = False
    min_size: int = 1
    mean: tuple[float, ...] = field(default=())
    std: tuple[float, ...] = field(default=())
    network: str = ""
    run_id: str = ""
    run_name: str = ""
    epoch: int = -1
    data_digest: str = ""
    version: str = ""
    torch_version: str = ""
    kind: Literal["float32", "int8"] = "float32"

    def metadata(self) -> dict[str, str]:
        """The attributes as texts; what is not a text is JSON. Then the same in words."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in values.items()
        } | self.in_words()

    def to_json(self) -> str:
        """The same as `metadata`, as a JSON object."""
        return json.dumps(self.metadata(), ensure_ascii=False, indent=1)

    def in_words(self) -> dict[str, str]:
        """What goes in, what comes out, and how an image file becomes an input."""
        size = f"{self.image_size} x {self.image_size} pixels"
        if self.any_size:
            size += f"; other sizes, from {self.min_size} pixels on, work, too"
        colour = "grey" if self.num_channels == 1 else "RGB"
        output = ""
        if self.set_levels:
            output += (
                " `prediction_set`: bool, (N, K), whether a class is in the set that has the true "
                "class for 90 % of the images."
            )
        if self.unknown_threshold is not None:
            output += " `unknown`: bool, (N,), whether the image is unlike those of the dataset."
        return {
            "input": f"`images`: {self.input_type}, (N, {self.num_channels}, H, W), {colour}, "
            f"values in 0…255, {size}. Do not normalise them: the network does.",
            "output": "`probabilities`: float32, (N, K), of the classes; softmax of the logits "
            "divided by the temperature. `logits`: float32, (N, K), before this division." + output,
            "resize_rule": f"{RESIZE_RULES[self.resize]} {HOW}",
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> "Description":
        """Read what `metadata` has written.

        Raises:
            ValueError: If there is no description in it, or it is damaged.
        """
        if "class_names" not in metadata:
            raise ValueError(
                "The file does not describe its network: it has no `class_names`. Expected a file "
                "of `lightning_cli export`."
            )
        known = {each.name: each.type for each in fields(cls)}
        try:
            values = {
                name: _parsed(metadata[name], known[name]) for name in known if name in metadata
            }
        except ValueError as error:
            raise ValueError(f"The description of the network is damaged: {error}.") from error
        return cls(**values)

    @classmethod
    def from_json(cls, text: str) -> "Description":
        """Read what `to_json` has written; see `from_metadata`."""
        return cls.from_metadata(json.loads(text or "{}"))


def _parsed(text: str, kind: Any) -> Any:
    if kind is str or "Literal" in str(kind) or kind is Resize:
        return text
    value = json.loads(text)
    return tuple(value) if isinstance(value, list) else value
