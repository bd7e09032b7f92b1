import pytest
import torch
from captum.attr import Occlusion
from torch import nn

from models.explain.sanity_checks import occlusion


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)).eval()


@pytest.mark.parametrize(("window", "stride"), [(3, 1), (4, 2), (4, 4)])
def test_falls_are_those_of_captum(network, window, stride):
    images = torch.rand(3, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    classes, baseline = torch.tensor([0, 1, 2]), torch.zeros_like(images)
    network(images)
    reference = Occlusion(lambda x: network(x).softmax(dim=1)).attribute(
        images,
        sliding_window_shapes=(2, window, window),
        strides=(2, stride, stride),
        baselines=baseline,
        target=classes,
    )
    found = occlusion(network, images, classes, window, stride, baseline)
    torch.testing.assert_close(found, reference[:, 0].detach().float(), atol=1e-6, rtol=1e-5)


def test_last_square_ends_at_the_edge():
    class Corner(nn.Module):
        def forward(self, images):
            return torch.stack([images[:, 0, -1, -1], torch.zeros(len(images))], dim=1)

    images = torch.ones(1, 1, 8, 8)
    fall = occlusion(Corner(), images, torch.tensor([0]), 3, 2, torch.zeros_like(images))
    assert fall[0, -1, -1] > 0
    assert fall[0, :5, :5].eq(0).all()


@pytest.mark.parametrize(("window", "stride"), [(9, 1), (0, 1), (2, 0)])
def test_square_that_does_not_fit_is_refused(network, window, stride):
    images = torch.rand(1, 2, 8, 8)
    with pytest.raises(ValueError, match=f"1 to 8 pixels .* got {window} and {stride}"):
        occlusion(network, images, torch.tensor([0]), window, stride)
