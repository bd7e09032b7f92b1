import torch
from torch import nn

from models.explain.work import CPU_SPEED, GPU_SPEED, counted_operations, speed_of


def test_a_convolution_and_its_gradient_are_counted():
    layer, images = nn.Conv2d(3, 4, 3, bias=False), torch.rand(2, 3, 8, 8)
    forward = 2 * 2 * 4 * 6 * 6 * 3 * 3 * 3  # images, filters, positions, weights of a filter
    with counted_operations() as counter:
        output = layer(images)
    assert counter.operations == forward
    with counted_operations() as counter:
        output.sum().backward()  # of the weights alone: the images need no gradient
    assert counter.operations == forward


def test_the_count_does_not_change_the_result():
    layer, images = nn.Linear(5, 3), torch.rand(2, 5)
    with counted_operations() as counter:
        counted = layer(images)
    assert counted.equal(layer(images))
    assert counter.operations == 2 * 2 * 5 * 3


def test_speed_is_that_of_the_kind_of_device_and_not_measured():
    assert speed_of(torch.device("cpu")) == CPU_SPEED
    assert speed_of(torch.device("cuda", 1)) == GPU_SPEED
