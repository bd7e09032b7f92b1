"""Computations on a device without float64, as Apple's GPUs (MPS) are."""

import numpy as np
import pytest
import torch
from torch import nn

from models.explain.concepts import CutNetwork, find_concepts
from models.explain.sanity_checks.verdict import judge
from models.full_precision import full_precision

LEAVES = {torch.Tensor.cpu}  # methods that copy to the CPU


class DeviceTensor(torch.Tensor):
    """A tensor as on MPS: what is computed from it stays there, and float64 is refused."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        result = super().__torch_function__(func, types, args, kwargs or {})
        if isinstance(result, cls):
            if func in LEAVES:
                return result.as_subclass(torch.Tensor)
            if result.dtype == torch.float64:
                raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        return result


def on_device(tensor):
    return tensor.as_subclass(DeviceTensor)


class MeanOfChannels(nn.Module):
    """Its map are the channels of the image, and the logits their means."""

    def __init__(self):
        super().__init__()
        self.map = nn.Identity()

    def forward(self, images):
        return self.map(images).mean(dim=(2, 3))


def test_fake_refuses_float64_until_a_tensor_is_on_the_cpu():
    values = on_device(torch.ones(2)) * 2
    for convert in (torch.Tensor.double, lambda x: x.to(torch.float64)):
        with pytest.raises(TypeError, match="float64"):
            convert(values)
    assert values.cpu().double().dtype == torch.float64


def test_concepts_are_those_of_the_cpu():
    images = torch.rand(3, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    model = MeanOfChannels()
    found, expected = (
        find_concepts(CutNetwork(model, model.map), given, 1, 2)
        for given in (on_device(images), images)
    )
    np.testing.assert_allclose(found.importance, expected.importance, rtol=1e-5)


def test_verdict_is_that_of_the_cpu():
    generator = torch.Generator().manual_seed(0)
    parts = [torch.rand(8, 4, 4, generator=generator)]
    parts += [torch.rand(8, generator=generator) for _ in range(3)]
    assert judge(*map(on_device, parts)) == judge(*parts)


@pytest.mark.parametrize("device", ["cpu", "cuda", "mps"])
def test_images_are_computed_in_full_precision_on_every_device(device):
    @full_precision
    def is_on():
        return torch.is_autocast_enabled(device)

    with torch.autocast("cpu", torch.bfloat16):
        torch.set_autocast_enabled(device, True)
        try:
            assert not is_on()
            assert torch.is_autocast_enabled(device)
        finally:
            torch.set_autocast_enabled(device, False)
