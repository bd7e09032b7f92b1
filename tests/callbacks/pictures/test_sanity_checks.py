from dataclasses import replace

import pytest
import timm
import torch
from jsonargparse import ArgumentParser
from matplotlib.figure import Figure

from callbacks.inspection_mode import inspection_mode
from callbacks.pictures import PictureContext, SanityChecks
from callbacks.pictures.allowance import Allowance
from models.explain import NothingToShow
from models.explain.sanity_checks import area, deletion_curve, explanation, random_maps
from models.explain.work import counted_operations


@pytest.fixture
def make_context(make_classifier):
    def make(model=None, size=(1, 16, 16)):
        images = torch.rand(8, *size, generator=torch.Generator().manual_seed(0))
        unknown = torch.full((8,), -1)
        model = (model or make_classifier()).eval()
        names = ("rows", "columns", "checks", "full")
        return PictureContext(
            model, names, lambda n: (images[:n], unknown[:n]), "epoch 3", "images"
        )

    return make


def shown_by(picture, context):
    with inspection_mode(context.model):
        return dict(picture.draw(context))


def test_there_is_one_figure_and_three_numbers_per_method(make_context):
    shown = shown_by(SanityChecks(num_steps=4), make_context())
    assert isinstance(shown.pop("honesty"), Figure)
    names = {name.removeprefix("honesty_") for name in shown}
    kinds = ("deletion", "insertion", "randomization")
    methods = {f"{method}_{kind}" for method in ("grad_cam", "vanilla") for kind in kinds}
    assert names == methods | {"random_deletion", "random_insertion"}
    assert all(-1 <= number <= 1 for number in shown.values())


@pytest.mark.parametrize("passes", [1400, 520, 170])
def test_fewer_images_and_steps_keep_to_the_allowance(make_context, passes):
    context = replace(make_context(), allowance=Allowance(passes))
    with torch.no_grad(), counted_operations() as one:
        context.model(context.sample(1)[0])
    with counted_operations() as all_of_them:
        shown_by(SanityChecks(), context)
    used = all_of_them.operations / one.operations
    assert passes / 2 < used <= 1.05 * passes  # a backward pass counts as two
    assert context.allowance.exhausted == (passes < 1400)


def test_numbers_are_means_over_the_images(make_context):
    context = make_context()
    shown = shown_by(SanityChecks(num_images=3, num_steps=4), context)
    images, _ = context.sample(3)
    with inspection_mode(context.model):
        classes = context.model(images).argmax(dim=1)
        maps = explanation("grad_cam", context.model, images)(context.model, images, classes)
        for name, order in (("grad_cam", maps), ("random", random_maps(images))):
            curves = deletion_curve(context.model, images, order, classes, num_steps=4)
            assert shown[f"honesty_{name}_deletion"] == pytest.approx(area(curves).mean().item())


def test_title_has_epoch_and_number_of_images(make_context):
    figure = shown_by(SanityChecks(num_steps=2), make_context())["honesty"]
    assert figure.get_suptitle().startswith(
        "Sanity checks of the explanations, epoch 3: 8 images\n"
    )


def test_fewer_images_are_used_if_they_are_large(make_context):
    figure = shown_by(SanityChecks(num_steps=1, num_stages=1), make_context(size=(1, 130, 130)))[
        "honesty"
    ]
    assert "4 images" in figure.get_suptitle()


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
