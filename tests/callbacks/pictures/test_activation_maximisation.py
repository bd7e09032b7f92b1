from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import relu

from callbacks.pictures import ActivationMaximisation, PictureContext
from callbacks.pictures.allowance import Allowance
from models import ImageClassifier, PlainCNN
from models.explain import NothingToShow
from models.explain.work import CPU_SPEED, counted_operations

QUICK = {"steps": 2, "num_filters": 4, "seconds": None}


@pytest.fixture
def context(make_classifier):
    """A small network with four classes, and unlabelled images."""
    images = torch.zeros(4, 1, 16, 16)
    names = ["rows", "columns", "checks", "full"]
    model = make_classifier().eval()
    return PictureContext(model, names, lambda n: (images[:n], torch.full((n,), -1)), "epoch 4")


def texts(figure):
    return [text.get_text() for text in figure.texts[1:]]


def title(figure):
    return figure.get_suptitle()


def test_classes_and_three_convolutions_are_shown_by_default(context):
    shown = dict(ActivationMaximisation(**QUICK).draw(context))
    keys = ["classes", "block1.conv", "block2.conv", "block3.conv"]
    assert list(shown) == [f"activation_maximisation/{key}" for key in keys]
    assert title(shown["activation_maximisation/block2.conv"]) == (
        "Images that maximise each channel of block2.conv, after ReLU\nepoch 4: the first 4 of 16"
    )
    assert texts(shown["activation_maximisation/block2.conv"]) == ["0", "1", "2", "3"]


def test_classes_are_captioned_with_name_and_probability(context):
    [(_, figure)] = [
        item for item in ActivationMaximisation(**QUICK).draw(context) if "classes" in item[0]
    ]
    names, probabilities = zip(*(text.split("\n") for text in texts(figure)), strict=True)
    assert names == tuple(context.class_names)
    assert all(0 <= int(text.rstrip("%")) <= 100 for text in probabilities)
    assert title(figure) == "Images that maximise the logit of each class\nepoch 4: all 4"


@pytest.mark.parametrize(("activated", "after"), [(True, ", after ReLU"), (False, "")])
def test_named_layers_are_maximised_with_their_activation_if_wanted(context, activated, after):
    options = {"layers": "block?.conv", "classes": False, "activated": activated}
    shown = dict(ActivationMaximisation(**QUICK, **options).draw(context))
    assert len(shown) == 3
    assert title(shown["activation_maximisation/block1.conv"]).startswith(
        f"Images that maximise each channel of block1.conv{after}\n"
    )


@pytest.mark.parametrize(("activated", "function"), [(True, relu), (False, lambda maps: maps)])
def test_images_are_those_of_plain_gradient_ascent(monkeypatch, activated, function):
    """On the mean of the map after the ReLU, or before it, computed without hooks."""
    torch.manual_seed(0)
    model = ImageClassifier(PlainCNN((8, 8), (8,), 0.0, num_channels=1, image_size=16), 4).eval()
    context = PictureContext(
        model, "abcd", lambda n: (torch.rand(n, 1, 16, 16), torch.zeros(n, dtype=int)), "epoch 4"
    )
    drawn = []
    monkeypatch.setattr(
        "callbacks.pictures.activation_maximisation.plot_maximised", lambda *a: drawn.append(a[0])
    )
    options = {"layers": "block1.conv", "classes": False, "method": "pixels", "steps": 6}
    [*ActivationMaximisation(**options, seconds=None, activated=activated).draw(context)]

    convolution = model.backbone.blocks.block1.conv
    noise = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    for channel, found in enumerate(drawn[0]):
        image = (0.5 + 20 / 255 * (noise - 0.5)).requires_grad_()
        for _ in range(6):
            [gradient] = torch.autograd.grad(function(convolution(image))[0, channel].mean(), image)
            size = gradient.square().mean().sqrt().clamp_min(1e-30)  # 0 for a dead filter
            image = (image + 0.1 * gradient / size).detach().requires_grad_()
        image = image.detach()
        expected = 0.5 + 0.35 * (image - image.mean()) / image.std(correction=0)
        np.testing.assert_allclose(found[..., 0], expected[0, 0].clamp(0, 1), atol=1e-3)


def test_dead_filters_are_counted_and_marked(context):
    block = context.model.backbone.blocks.block1
    with torch.no_grad():
        block.norm.weight[1], block.norm.bias[1] = 0, -1
    picture = ActivationMaximisation(**QUICK, layers=["block1.relu"], classes=False)
    [(_, figure)] = picture.draw(context)
    assert "epoch 4: the first 4 of 8, 1 stayed at zero" in title(figure)
    assert texts(figure) == ["0", "1 (at zero)", "2", "3"]


def test_pixels_can_be_maximised_too(context):
    picture = ActivationMaximisation(method="pixels", **QUICK, layers=["block1.relu"])
    assert len(list(picture.draw(context))) == 2


def test_any_network_can_be_shown():
    """As in `lightning_cli explain`: no backbone, no data, one image."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 2)).eval()
    context = PictureContext(
        model, ["a", "b"], lambda n: (torch.rand(1, 3, 12, 12), torch.tensor([-1])), "x"
    )
    shown = dict(ActivationMaximisation(**QUICK).draw(context))
    assert list(shown) == ["activation_maximisation/classes", "activation_maximisation/0"]


def test_sheets_that_would_take_too_long_are_omitted_and_named(context):
    picture = ActivationMaximisation(steps=1000, num_filters=4, seconds=1e-3)
    with pytest.raises(
        NothingToShow, match=r"classes, .*block3.conv are missing from the .* even 4 "
    ):
        list(picture.draw(context))


def test_fewer_filters_are_shown_if_the_limit_is_low(context):
    options = {"num_filters": 8, "classes": False, "layers": "block1.conv"}

    def operations(steps):
        with counted_operations() as counter:
            list(ActivationMaximisation(steps=steps, seconds=None, **options).draw(context))
        return counter.operations

    seconds = 7.5 / 8 * (operations(20) - operations(10)) / CPU_SPEED
    [(_, figure)] = ActivationMaximisation(steps=10, seconds=seconds, **options).draw(context)
    assert f"the first 6 of 8 (limit: {seconds:g} seconds)" in title(
        figure
    )  # the limit allows seven, but six fill their rows


def test_one_image_of_few_steps_is_left_of_a_small_budget(context):
    limited = replace(context, allowance=Allowance(passes=1))
    shown, drawn = {}, ActivationMaximisation(num_filters=4).draw(limited)
    with pytest.raises(
        NothingToShow, match=r"would exceed the budget; a larger pictures\.budget allows them"
    ):
        shown.update(drawn)
    assert limited.allowance.exhausted
    classes = title(shown["activation_maximisation/classes"])
    assert "the first 1 of 4, 16 of 64 steps (limit: the budget)" in classes


def test_unknown_layer_is_refused_before_training(context, synthetic):
    with pytest.raises(
        ValueError, match=r"pictures\.activation_maximisation\.layers: .*no layer 'block9\.conv'"
    ):
        ActivationMaximisation(layers=["block9.conv"]).begin(context.model, synthetic)


@pytest.mark.parametrize("option", ["num_filters", "steps", "seconds"])
def test_numbers_below_one_are_refused(option):
    with pytest.raises(ValueError, match=rf"activation_maximisation\.{option} is 0; expected more"):
        ActivationMaximisation(**{option: 0})


def test_it_is_drawn_once_by_default():
    assert ActivationMaximisation().when == "last"


def test_drawing_changes_neither_network_nor_random_state(context):
    before = {name: value.clone() for name, value in context.model.state_dict().items()}
    state = torch.get_rng_state()
    list(ActivationMaximisation(**QUICK).draw(context))
    assert torch.get_rng_state().equal(state)
    assert all(value.equal(before[name]) for name, value in context.model.state_dict().items())
    modules = list(context.model.modules())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in modules)
