"""Plain CNN: convolutions whose last feature map is flattened, so that positions matter."""

from torch import Tensor, nn

from models.backbones.backbone import Backbone, check_image_size, stages_of_children
from models.backbones.parameter_budget import scale_for_budget, scaled
from models.head import linear_block, per_layer

KERNEL_SIZE = 5


class PlainCNN(Backbone):
    """Blocks of convolution, ReLU, max-pooling, batch norm and dropout, then linear layers.

    The last feature map is flattened, so that the network takes images of one size. These are not
    normalised: the batch norms adapt to their scale.

    Args:
        widths: Channels of each block's 5x5 convolution; each block halves the side of the map.
        hidden: Sizes of the linear layers, each with batch norm and ReLU; may be empty.
        dropout: Probability, in [0, 1), that an output of a block is dropped in training; a list
            has one for each block.
        budget: Number of parameters of the backbone, without the head; `widths` and `hidden` are
            multiplied by one factor to come closest to it.
        num_channels: 1 for grey images, 3 for colour; the command line takes it from the data.
        image_size: Side of the square images, in pixels.

    Raises:
        ValueError: If the images are too small for so many blocks, the budget is too small, or an
            option is out of range.
    """

    def __init__(
        self,
        widths: tuple[int, ...] = (64, 128, 256),
        hidden: tuple[int, ...] = (128,),
        dropout: float | tuple[float, ...] = (0.25, 0.25, 0.5),
        budget: float | None = None,
        num_channels: int = 3,
        image_size: int = 48,
    ) -> None:
        super().__init__()
        _check(widths, image_size)
        if budget is not None:
            scale = scale_for_budget(
                lambda s: PlainCNN(
                    scaled(widths, s), scaled(hidden, s), dropout, None, num_channels, image_size
                ),
                budget,
            )
            widths, hidden = scaled(widths, scale), scaled(hidden, scale)
        self.image_size = image_size
        self.blocks, self.hidden = nn.Sequential(), nn.Sequential()
        dropped = per_layer("dropout", dropout, len(widths))
        for index, (width, probability) in enumerate(zip(widths, dropped, strict=True)):
            self.blocks.add_module(f"block{index + 1}", _block(num_channels, width, probability))
            num_channels = width
        self.num_features = num_channels * (image_size // 2 ** len(widths)) ** 2
        for index, size in enumerate(hidden):
            layer = nn.Sequential(*linear_block(self.num_features, size, "batch", "relu"))
            self.hidden.add_module(f"hidden{index + 1}", layer)
            self.num_features = size

    def forward(self, images: Tensor) -> Tensor:
        """See `Backbone`.

        Raises:
            ValueError: If the images do not have the size that the network was built for.
        """
        check_image_size(images, self.image_size)
        return self.hidden(self.blocks(images).flatten(1))

    def stages(self) -> dict[str, list[str]]:
        """The blocks, then the linear layers."""
        blocks = stages_of_children(self.blocks, prefix="blocks.")
        return blocks | stages_of_children(self.hidden, prefix="hidden.")


def _check(widths: tuple[int, ...], image_size: int) -> None:
    if not widths or min(widths) < 1:
        raise ValueError(f"Expected widths of one block or more, each 1 or more, got {widths}.")
    if image_size < 2 ** len(widths):
        raise ValueError(
            f"Expected an image_size of {2 ** len(widths)} pixels or more, since each of the "
            f"{len(widths)} blocks halves it, got {image_size}."
        )


def _block(in_channels: int, out_channels: int, dropout: float) -> nn.Sequential:
    block = nn.Sequential()
    block.add_module("conv", nn.Conv2d(in_channels, out_channels, KERNEL_SIZE, padding="same"))
    block.add_module("relu", nn.ReLU())
    block.add_module("pool", nn.MaxPool2d(2))
    block.add_module("norm", nn.BatchNorm2d(out_channels))
    block.add_module("dropout", nn.Dropout(dropout))
    return block
