import pytest
import torch
from torch import nn

from models import Head, PlainCNN
from models.backbones.parameter_budget import count_parameters

KINDS = ["Conv2d", "ReLU", "MaxPool2d", "BatchNorm2d", "Dropout"]


def num_statistics(network):
    """Number of running means and variances, as counted by Keras, without batch counters."""
    buffers = dict(network.named_buffers())
    return sum(b.numel() for name, b in buffers.items() if name.endswith(("_mean", "_var")))


@pytest.mark.parametrize("hidden", [(128,), ()])
def test_published_face_network_is_built_exactly(hidden):
    """The layer of 128 may be the last one of the backbone or the first one of the head."""
    backbone = PlainCNN(hidden=hidden, num_channels=1)
    head = Head(backbone.num_features, 7, () if hidden else (128,), norm="batch", norm_logits=True)
    network = nn.Sequential(backbone, head)
    assert count_parameters(network) == 2_207_893
    assert num_statistics(network) == 1_166
    assert network(torch.rand(2, 1, 48, 48)).shape == (2, 7)


def test_block_is_convolution_relu_pooling_norm_dropout():
    blocks = PlainCNN().blocks
    assert [type(m).__name__ for m in blocks[2]] == KINDS
    assert [block.dropout.p for block in blocks] == [0.25, 0.25, 0.5]
    assert [(b.conv.kernel_size, b.conv.stride) for b in blocks] == [((5, 5), (1, 1))] * 3


def test_each_block_halves_the_map():
    backbone = PlainCNN((4, 6), hidden=(), dropout=0, num_channels=1, image_size=18)
    assert backbone.blocks(torch.rand(1, 1, 18, 18)).shape == (1, 6, 4, 4)
    assert backbone.num_features == 6 * 4 * 4


def test_stages_run_from_input_to_output():
    assert list(PlainCNN().stages()) == ["block1", "block2", "block3", "hidden1"]


def test_images_of_another_size_are_refused():
    with pytest.raises(ValueError, match=r"built for images of 48 x 48 pixels, got 32 x 48: set"):
        PlainCNN()(torch.rand(1, 3, 32, 48))


def test_images_too_small_for_the_blocks_are_refused():
    with pytest.raises(
        ValueError, match=r"image_size of 8 pixels or more, since each of the 3 blocks .* 7"
    ):
        PlainCNN(image_size=7)


def test_dropout_for_another_number_of_blocks_is_refused():
    with pytest.raises(ValueError, match=r"dropout to be one number or a list of 2, .*got 3"):
        PlainCNN((4, 6))


@pytest.mark.parametrize("widths", [(), (4, 0)])
def test_block_without_channels_is_refused(widths):
    with pytest.raises(ValueError, match="widths of one block or more, each 1 or more"):
        PlainCNN(widths, dropout=0)
