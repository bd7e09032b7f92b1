"""Multilayer perceptron: a network without convolutions, as a baseline."""

from torch import Tensor, nn

from models.backbones.backbone import Backbone, check_image_size, stages_of_children
from models.backbones.parameter_budget import scale_for_budget, scaled
from models.head import linear_block, per_layer


class MLP(Backbone):
    """Linear layers on the pixels of an image, each with batch norm, ReLU and dropout.

    It takes images of one size, which are not normalised: the batch norms adapt to their scale.

    Args:
        widths: Sizes of the layers.
        dropout: Probability, in [0, 1), that an output of a layer is dropped in training; a list
            has one for each layer.
        budget: Number of parameters of the backbone, without the head; `widths` are multiplied by
            one factor to come closest to it.
        num_channels: 1 for grey images, 3 for colour; the command line takes it from the data.
        image_size: Side of the square images, in pixels.

    Raises:
        ValueError: If there is no layer, the budget is too small, or an option is out of range.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (512, 1024, 512),
        dropout: float | tuple[float, ...] = (0.25, 0.5, 0.5),
        budget: float | None = None,
        num_channels: int = 3,
        image_size: int = 48,
    ) -> None:
        super().__init__()
        if not widths or min(widths) < 1:
            raise ValueError(f"Expected widths of one layer or more, each 1 or more, got {widths}.")
        if budget is not None:
            scale = scale_for_budget(
                lambda s: MLP(scaled(widths, s), dropout, None, num_channels, image_size), budget
            )
            widths = scaled(widths, scale)
        self.image_size = image_size
        self.layers = nn.Sequential()
        self.num_features = num_channels * image_size**2
        dropped = per_layer("dropout", dropout, len(widths))
        for index, (width, probability) in enumerate(zip(widths, dropped, strict=True)):
            block = linear_block(self.num_features, width, "batch", "relu")
            layer = nn.Sequential(*block, nn.Dropout(probability))
            self.layers.add_module(f"layer{index + 1}", layer)
            self.num_features = width

    def forward(self, images: Tensor) -> Tensor:
        """See `Backbone`.

        Raises:
            ValueError: If the images do not have the size that the network was built for.
        """
        check_image_size(images, self.image_size)
        return self.layers(images.flatten(1))

    def stages(self) -> dict[str, list[str]]:
        """The layers."""
        return stages_of_children(self.layers, prefix="layers.")
