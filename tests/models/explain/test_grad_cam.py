import pytest
import torch
from torch import nn

from datamodules.synthetic import PATCH, patch_corner
from models.explain import grad_cam, last_feature_map


@pytest.fixture
def bright_spot_model():
    """Class 0 scores the brightness of the image, class 1 its negative."""
    conv = nn.Conv2d(1, 1, kernel_size=1, bias=False)
    nn.init.ones_(conv.weight)
    head = nn.Linear(1, 2, bias=False)
    head.weight.data = torch.tensor([[1.0], [-1.0]])
    return nn.Sequential(conv, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def test_map_shows_where_the_evidence_is(bright_spot_model):
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 1, 2] = 5.0
    [cam] = grad_cam(bright_spot_model, bright_spot_model[0], image, torch.tensor([0]))
    torch.testing.assert_close(cam, image[0, 0] / 5.0)


def test_no_evidence_gives_a_zero_map(bright_spot_model):
    image = torch.ones(1, 1, 4, 4)
    cam = grad_cam(bright_spot_model, bright_spot_model[0], image, torch.tensor([1]))
    assert cam.eq(0).all()


def test_works_in_inference_mode_and_leaves_nothing_behind(bright_spot_model):
    with torch.inference_mode():
        images, classes = torch.ones(1, 1, 4, 4), torch.tensor([0])
        grad_cam(bright_spot_model, bright_spot_model[0], images, classes)
    assert not bright_spot_model[0]._forward_hooks
    assert all(parameter.grad is None for parameter in bright_spot_model.parameters())


def test_hook_is_removed_after_an_error(bright_spot_model):
    with pytest.raises(IndexError):
        grad_cam(bright_spot_model, bright_spot_model[0], torch.ones(1, 1, 4, 4), torch.tensor(0))
    assert not bright_spot_model[0]._forward_hooks


def test_frozen_network_is_explained_alike(bright_spot_model):
    images, classes = torch.rand(2, 1, 4, 4), torch.tensor([0, 0])
    free = grad_cam(bright_spot_model, bright_spot_model[0], images, classes)
    bright_spot_model.requires_grad_(False)
    torch.testing.assert_close(
        grad_cam(bright_spot_model, bright_spot_model[0], images, classes), free
    )


def test_layer_without_feature_map_is_refused(bright_spot_model):
    with pytest.raises(ValueError, match=r"output is a feature map, got \(1, 2\)"):
        grad_cam(bright_spot_model, bright_spot_model[3], torch.ones(1, 1, 4, 4), torch.tensor([0]))


def test_peak_lies_where_the_class_is_seen(make_classifier, make_trainer, synthetic):
    model = make_classifier()
    make_trainer(max_epochs=12).fit(model, synthetic)
    model.eval()
    source = synthetic.sources["val"]
    images = synthetic.on_after_batch_transfer(next(iter(synthetic.val_dataloader())), 0)[0]
    labels = torch.from_numpy(source.labels[: len(images)])
    name, to_map = last_feature_map(model, images)
    maps = grad_cam(model, model.get_submodule(name), images, labels, to_map)
    hits = [_in_patch(map_, image) for map_, image in zip(maps, source.names, strict=False)]
    assert len(hits) == len(images)
    assert sum(hits) >= 0.85 * len(hits)


def _in_patch(map_, name):
    row, column = divmod(int(map_.argmax()), map_.shape[1])
    top, left = patch_corner(name)
    return top <= row < top + PATCH and left <= column < left + PATCH


class TwoUses(nn.Module):
    """Uses one activation, or two alike, after each of its convolutions."""

    def __init__(self, second):
        super().__init__()
        torch.manual_seed(0)
        self.convolutions = nn.ModuleList([nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3)])
        self.first = nn.ReLU()
        self.second = self.first if second is None else second
        self.head = nn.Linear(4, 2)

    def forward(self, images):
        hidden = self.first(self.convolutions[0](images))
        return self.head(self.second(self.convolutions[1](hidden)).mean(dim=(2, 3)))


def test_of_a_layer_that_is_used_twice_the_last_use_is_explained():
    """As torchvision's blocks use their only ReLU."""
    images, classes = torch.rand(3, 1, 12, 12), torch.tensor([0, 1, 0])
    shared, apart = TwoUses(None), TwoUses(nn.ReLU())
    maps = grad_cam(shared, shared.first, images, classes)
    torch.testing.assert_close(maps, grad_cam(apart, apart.second, images, classes))
