"""Small CNN for small images, trained from scratch."""

from collections import OrderedDict

from torch import Tensor, nn

from models.backbones.backbone import Backbone, Normalize, stages_of_children


class SmallCNN(Backbone):
    """Three blocks of convolution, batch norm, ReLU and pooling, then the mean over positions.

    Args:
        width: Channels of the first block, doubled by each further block.
        num_channels: 1 for grey images, 3 for colour; the command line takes it from the data.
    """

    def __init__(self, width: int = 32, num_channels: int = 3) -> None:
        super().__init__()
        self.normalize = Normalize((0.5,), (0.25,), num_channels)
        self.blocks = nn.Sequential(
            OrderedDict(
                block1=_block(num_channels, width),
                block2=_block(width, 2 * width),
                block3=_block(2 * width, 4 * width, pool=False),
            )
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.num_features = 4 * width

    def forward(self, images: Tensor) -> Tensor:
        """See `Backbone`."""
        return self.pool(self.blocks(self.normalize(images))).flatten(1)

    def stages(self) -> dict[str, list[str]]:
        """The three blocks."""
        return stages_of_children(self.blocks, prefix="blocks.")


def _block(in_channels: int, out_channels: int, pool: bool = True) -> nn.Sequential:
    layers = OrderedDict[str, nn.Module](
        # Batch norm has a bias of its own.
        conv=nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False),
        norm=nn.BatchNorm2d(out_channels),
        relu=nn.ReLU(inplace=True),
    )
    if pool:
        layers["pool"] = nn.MaxPool2d(2)
    return nn.Sequential(layers)
