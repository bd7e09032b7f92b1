"""ResNet of bottleneck blocks, for training from scratch."""

from typing import Literal, get_args

from torch import Tensor, nn

from models.backbones.backbone import Backbone, Normalize, stages_of_children
from models.backbones.torchvision_backbone import IMAGENET_MEAN, IMAGENET_STD

RESNET50 = (3, 4, 6, 3)  # blocks of each stage
STEM_WIDTH = 64
EXPANSION = 4  # channels that leave a block, relative to those inside

Norm = Literal["batch", "none"]


class ResNet(Backbone):
    """ResNet (He et al., 2016), by default ResNet-50; norm, dropout and groups can be changed.

    Parameters have the names of torchvision, so that its weights fit: the last convolution of a
    ResNet-50 is `layer4.2.conv3`. The 3x3 convolution of a block has the stride.

    Args:
        depths: Blocks of each stage: (3, 4, 23, 3) is ResNet-101, (3, 8, 36, 3) is ResNet-152.
        norm: `batch`, or `none` for no norm. Without it the convolutions have biases, and the last
            one of each block is initialised with zeros, since the variance would otherwise double
            from block to block.
        dropout: Probability, in [0, 1), that an input of the last convolution of a block is
            dropped in training, as in wide ResNets (Zagoruyko and Komodakis, 2016).
        groups: Groups of the 3x3 convolutions: 32 makes a ResNeXt (Xie et al., 2017).
        group_width: Channels of a group in the first stage, doubled by each further stage.
            ResNeXt-101 32x48d is `depths: [3, 4, 23, 3], groups: 32, group_width: 48`.
        num_channels: 1 for grey images, 3 for colour; the command line takes it from the data.

    Raises:
        ValueError: If a stage has no block, there is no stage, or an option is out of range.
    """

    def __init__(
        self,
        depths: tuple[int, ...] = RESNET50,
        norm: Norm = "batch",
        dropout: float = 0.0,
        groups: int = 1,
        group_width: int = STEM_WIDTH,
        num_channels: int = 3,
    ) -> None:
        super().__init__()
        _check(depths, norm, dropout)
        if min(groups, group_width) < 1:
            raise ValueError(
                f"Expected groups and group_width of 1 or more, got {groups} and {group_width}."
            )
        self.normalize = Normalize(IMAGENET_MEAN, IMAGENET_STD, num_channels)
        self.conv1 = _convolution(num_channels, STEM_WIDTH, 7, 2, norm)
        self.bn1 = _norm(norm, STEM_WIDTH)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.num_features = STEM_WIDTH
        self._layers = [f"layer{index + 1}" for index in range(len(depths))]
        for index, (name, depth) in enumerate(zip(self._layers, depths, strict=True)):
            out, width = EXPANSION * STEM_WIDTH * 2**index, groups * group_width * 2**index
            blocks: list[nn.Module] = []
            for stride in [1 if index == 0 else 2] + [1] * (depth - 1):
                sizes = (self.num_features, width, out)
                blocks.append(Bottleneck(sizes, stride, groups, norm, dropout))
                self.num_features = out
            self.add_module(name, nn.Sequential(*blocks))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        _initialize(self, norm)

    def forward(self, images: Tensor) -> Tensor:
        """See `Backbone`."""
        maps = self.relu(self.bn1(self.conv1(self.normalize(images))))
        maps = self.maxpool(maps)
        for name in self._layers:
            maps = self.get_submodule(name)(maps)
        return self.avgpool(maps).flatten(1)

    def stages(self) -> dict[str, list[str]]:
        """`conv1` and `bn1` of the stem, then the stages of blocks."""
        return stages_of_children(self)


class Bottleneck(nn.Module):
    """Bottleneck block: 1x1, 3x3 and 1x1 convolutions, whose output is added to the input.

    Args:
        channels: Numbers of channels of the input, between the convolutions, and of the output.
        stride: Stride of the 3x3 convolution, and of the shortcut.
        groups: Groups of the 3x3 convolution.
        norm: See `ResNet`.
        dropout: See `ResNet`.
    """

    def __init__(
        self,
        channels: tuple[int, int, int],
        stride: int,
        groups: int,
        norm: Norm,
        dropout: float,
    ) -> None:
        super().__init__()
        in_channels, width, out_channels = channels
        self.conv1 = _convolution(in_channels, width, 1, 1, norm)
        self.bn1 = _norm(norm, width)
        self.conv2 = _convolution(width, width, 3, stride, norm, groups)
        self.bn2 = _norm(norm, width)
        self.dropout = nn.Dropout(dropout)
        self.conv3 = _convolution(width, out_channels, 1, 1, norm)
        self.bn3 = _norm(norm, out_channels)
        # Not in place: without norm it would overwrite the convolution's output, which hooks read.
        self.relu = nn.ReLU()
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(
                _convolution(in_channels, out_channels, 1, stride, norm), _norm(norm, out_channels)
            )

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, channels[2], H / stride, W / stride)."""
        inner = self.relu(self.bn1(self.conv1(maps)))
        inner = self.relu(self.bn2(self.conv2(inner)))
        return self.relu(self.bn3(self.conv3(self.dropout(inner))) + self.downsample(maps))


def _check(depths: tuple[int, ...], norm: str, dropout: float) -> None:
    if not depths or min(depths) < 1:
        raise ValueError(f"Expected depths of one block or more per stage, got {list(depths)}.")
    if norm not in get_args(Norm):
        raise ValueError(f"Expected norm to be {' or '.join(get_args(Norm))}, got {norm!r}.")
    if not 0 <= dropout < 1:
        raise ValueError(f"Expected dropout in [0, 1), got {dropout:g}.")


def _convolution(
    in_channels: int, out_channels: int, size: int, stride: int, norm: Norm, groups: int = 1
) -> nn.Conv2d:
    bias = norm == "none"  # batch norm has a bias of its own
    return nn.Conv2d(
        in_channels, out_channels, size, stride, padding=size // 2, groups=groups, bias=bias
    )


def _norm(norm: Norm, num_channels: int) -> nn.Module:
    return nn.Identity() if norm == "none" else nn.BatchNorm2d(num_channels)


def _initialize(network: nn.Module, norm: Norm) -> None:
    """Kaiming initialisation (He et al., 2015), which keeps the variance of the gradients."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
                if name.endswith("conv3"):
                    nn.init.zeros_(module.weight)
