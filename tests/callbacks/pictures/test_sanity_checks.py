from dataclasses import replace

import pytest
import timm
import torch
from jsonargparse import ArgumentParser
from matplotlib.figure import Figure
from torch import nn

from callbacks.inspection_mode import inspection_mode
from callbacks.pictures import ClassActivation, Notice, PictureContext, Saliency, SanityChecks
from callbacks.pictures.allowance import Allowance
from callbacks.plots.drawing.grid_version import grid_version
from models.explain import NothingToShow
from models.explain.sanity_checks import area, deletion_curve, explanation, random_maps
from models.explain.work import counted_operations


@pytest.fixture
def make_context(make_classifier):
    def make(model=None, size=(1, 16, 16)):
        images = torch.rand(16, *size, generator=torch.Generator().manual_seed(0))
        unknown = torch.full((16,), -1)
        model = (model or make_classifier()).eval()
        names = ("rows", "columns", "checks", "full")
        return PictureContext(
            model, names, lambda n: (images[:n], unknown[:n]), "epoch 3", "images"
        )

    return make


def shown_by(picture, context):
    with inspection_mode(context.model):
        return dict(picture.draw(context))


def verdict_of(picture, context):
    """Figure, table and notice, which have one name."""
    with inspection_mode(context.model):
        shown = [content for name, content in picture.draw(context) if name == "honesty"]
    assert [type(content) for content in shown] == [Figure, dict, Notice]
    return shown


def test_there_is_one_figure_and_three_numbers_per_method(make_context):
    shown = shown_by(SanityChecks(num_steps=4), make_context())
    names = {name.removeprefix("honesty_") for name in shown} - {"honesty"}
    kinds = ("deletion", "insertion", "randomization")
    methods = {f"{method}_{kind}" for method in ("grad_cam", "vanilla") for kind in kinds}
    assert names == methods | {"random_deletion", "random_insertion"}
    assert all(-1 <= shown[f"honesty_{name}"] <= 1 for name in names)


@pytest.mark.parametrize("passes", [1100, 520, 170])
def test_fewer_images_and_steps_keep_to_the_allowance(make_context, passes):
    context = replace(make_context(), allowance=Allowance(passes))
    with torch.no_grad(), counted_operations() as one:
        context.model(context.sample(1)[0])
    with counted_operations() as all_of_them:
        shown_by(SanityChecks(num_images=8), context)
    used = all_of_them.operations / one.operations
    assert passes / 2 < used <= 1.05 * passes  # a backward pass counts as two
    assert context.allowance.exhausted == (passes < 1100)


def test_numbers_are_means_over_the_images(make_context):
    context = make_context()
    shown = shown_by(SanityChecks(num_images=3, num_steps=4), context)
    images, _ = context.sample(3)
    with inspection_mode(context.model):
        classes = context.model(images).argmax(dim=1)
        _, explain = explanation("grad_cam", context.model, images)
        maps = explain(context.model, images, classes)
        for name, order in (("grad_cam", maps), ("random", random_maps(images))):
            curves = deletion_curve(context.model, images, order, classes, num_steps=4)
            assert shown[f"honesty_{name}_deletion"] == pytest.approx(area(curves).mean().item())


def test_title_has_epoch_and_number_of_images(make_context):
    figure, *_ = verdict_of(SanityChecks(num_steps=2), make_context())
    assert figure.get_suptitle().startswith(
        "Sanity checks of the explanations, epoch 3: 16 images\n"
    )


def test_fewer_images_are_used_if_they_are_large(make_context):
    context = make_context(size=(1, 130, 130))
    figure, *_ = verdict_of(SanityChecks(num_steps=1, num_stages=1), context)
    assert "8 images" in figure.get_suptitle()


def test_methods_that_do_not_work_for_the_network_are_omitted(make_context):
    """A transformer has no ReLU for guided backpropagation."""
    torch.manual_seed(0)
    context = make_context(timm.create_model("test_vit", num_classes=4), size=(3, 160, 160))
    picture = SanityChecks(methods=("guided", "vanilla"), num_images=2, num_steps=1, num_stages=1)
    shown = shown_by(picture, context)
    assert "honesty_vanilla_deletion" in shown
    assert "honesty_guided_deletion" not in shown


def test_without_any_method_there_is_nothing_to_show(make_context):
    context = make_context(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(256, 4)))
    with pytest.raises(NothingToShow, match="feature map"):
        shown_by(SanityChecks(methods=("grad_cam",)), context)


def test_unknown_names_are_refused_before_training(make_classifier, synthetic):
    with pytest.raises(ValueError, match=r"no explanation method 'gradcam'. Near names: grad_cam"):
        SanityChecks(methods=("gradcam",)).begin(make_classifier(), synthetic)
    with pytest.raises(ValueError, match=r"Expected grad_cam, .*, vanilla"):
        SanityChecks(methods=("xyz",)).begin(make_classifier(), synthetic)
    with pytest.raises(ValueError, match=r"pictures\.honesty\.layer: .*no layer 'layer4'"):
        SanityChecks(layer="layer4").begin(make_classifier(), synthetic)


def test_drawing_does_not_change_the_network(make_context):
    context = make_context()
    before = {name: tensor.clone() for name, tensor in context.model.state_dict().items()}
    with torch.inference_mode():
        shown_by(SanityChecks(num_steps=2), context)
    assert all(before[name].equal(tensor) for name, tensor in context.model.state_dict().items())
    assert not any(module._forward_hooks for module in context.model.modules())
    assert all(parameter.grad is None for parameter in context.model.parameters())


def test_configurations_of_earlier_versions_are_read():
    parser = ArgumentParser()
    parser.add_argument("--honesty", type=SanityChecks | bool, default=SanityChecks())
    stored = {"class_path": "callbacks.pictures.Honesty", "init_args": {"num_steps": 3}}
    picture = parser.instantiate_classes(parser.parse_object({"honesty": stored})).honesty
    assert isinstance(picture, SanityChecks)
    assert picture.num_steps == 3


@pytest.fixture
def flat():
    """A network without any weight but biases: its maps are the same everywhere."""
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    nn.init.zeros_(model[0].weight)
    nn.init.ones_(model[0].bias)
    return model


def texts_of(figure):
    return [text.get_text() for text in figure.texts]


def test_constant_maps_fail_and_every_picture_says_so(make_context, flat):
    context = make_context(flat)
    figure, table, notice = verdict_of(SanityChecks(num_steps=2), context)
    assert table["method"] == ["grad_cam", "vanilla"]
    assert table["failed"] == ["flat", "flat"]
    sentence = "Do not trust the maps of grad_cam: 100% of them are the same everywhere."
    assert notice.text.startswith(sentence)
    for picture in (ClassActivation(num_images=2), Saliency(num_images=2, methods=("vanilla",))):
        [(name, drawn)] = picture.draw(context)
        title = " ".join(drawn.get_suptitle().split())
        assert f"Do not trust the maps of {name.replace('saliency', 'vanilla')}: 100% of" in title
        assert "do not trust these maps" in texts_of(grid_version(drawn))
    assert sentence in " ".join(figure.get_suptitle().split())


def test_maps_that_are_the_same_for_random_weights_fail(make_context):
    """The gradient of a linear network with equal weights, but for their size."""
    model = nn.Sequential(nn.Flatten(), Ramp())
    context = make_context(model)
    _, table, notice = verdict_of(SanityChecks(methods=("vanilla",), num_steps=2), context)
    assert table["randomization"] == [pytest.approx(1)]
    assert "randomization" in table["failed"][0]
    assert "random weights give nearly the same maps (rank correlation 1.00)" in notice.text


class Ramp(nn.Linear):
    """Its weights always rise from pixel to pixel."""

    def __init__(self):
        super().__init__(256, 4)
        self.reset_parameters()

    def reset_parameters(self):
        with torch.no_grad():
            self.weight.copy_(torch.linspace(1, 2, 1024).view(4, 256))


def test_pictures_without_sanity_checks_say_nothing(make_context, flat):
    [(_, drawn)] = ClassActivation(num_images=2).draw(make_context(flat))
    assert "trust" not in drawn.get_suptitle()
    assert "do not trust these maps" not in texts_of(grid_version(drawn))
