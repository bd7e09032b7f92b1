"""Class activation and saliency: which class is explained, and what the figures show."""

from dataclasses import replace

import pytest
import torch

from callbacks.pictures import ClassActivation, PictureContext, Saliency
from callbacks.pictures.explanation_targets import class_to_explain, find_targets
from callbacks.plots.drawing.page import Picture
from callbacks.plots.drawing.style import BAD, GOOD, NEUTRAL
from models import Head, ImageClassifier, TimmBackbone
from models.explain import last_feature_map

NAMES = ["rows", "columns", "checks", "full"]


@pytest.fixture
def images(synthetic):
    return synthetic.sample(8)


@pytest.fixture
def context(make_classifier, images):
    def sample(number):
        return images[0][:number], images[1][:number]

    return PictureContext(make_classifier().eval(), NAMES, sample, "epoch 4")


def test_the_class_to_explain_can_be_chosen(context, images):
    with torch.no_grad():
        predicted = context.model(images[0]).argmax(dim=1)
    assert find_targets(context, 8, "predicted", "grad_cam").classes.equal(predicted)
    assert find_targets(context, 8, "true", "grad_cam").classes.equal(images[1])
    assert find_targets(context, 8, "checks", "grad_cam").classes.tolist() == [2] * 8


def test_first_images_of_the_split_can_be_explained(context, synthetic):
    targets = find_targets(replace(context, data=synthetic), 6, "true", "saliency", "first")
    assert targets.images.equal(synthetic.images("val", range(6)))
    assert targets.classes.tolist() == synthetic.sources["val"].labels[:6].tolist()
    assert not targets.images.equal(find_targets(context, 6, "true", "saliency").images)


def test_without_a_datamodule_the_first_images_are_those_of_the_sample(context, images):
    targets = find_targets(context, 6, "true", "saliency", "first")
    assert targets.images.equal(images[0][:6])


def test_images_without_a_label_are_explained_by_their_prediction(context, images):
    unknown = PictureContext(
        context.model, NAMES, lambda n: (images[0], torch.full((8,), -1)), "images"
    )
    targets = find_targets(unknown, 8, "true", "grad_cam")
    assert targets.classes.equal(find_targets(context, 8, "predicted", "grad_cam").classes)
    assert set(targets.colors) == {NEUTRAL}
    assert not any("not" in caption for caption in targets.captions)


def test_files_of_a_user_are_named_in_the_captions(context, images):
    named = replace(context, names=lambda n: [f"file_{index}.jpg" for index in range(n)])
    targets = find_targets(named, 3, "predicted", "grad_cam")
    assert [caption.split("\n")[0] for caption in targets.captions] == [
        "file_0.jpg",
        "file_1.jpg",
        "file_2.jpg",
    ]


def test_captions_have_prediction_confidence_and_label(context, images):
    targets = find_targets(context, 8, "predicted", "grad_cam")
    with torch.no_grad():
        confidence, predicted = context.model(images[0]).softmax(dim=1).max(dim=1)
    for row, (caption, color) in enumerate(zip(targets.captions, targets.colors, strict=True)):
        correct = bool(predicted[row] == images[1][row])
        assert caption.startswith(f"{NAMES[predicted[row]]} {confidence[row].item():.0%}")
        assert caption.endswith(f"\nnot {NAMES[images[1][row]]}") != correct
        assert color == (GOOD if correct else BAD)


@pytest.mark.parametrize("kind", [ClassActivation, Saliency])
def test_unknown_class_is_refused_before_training_and_while_drawing(context, synthetic, kind):
    message = rf"pictures\.{kind.name}\.explain is 'dots'; expected predicted, true, .*: rows, col"
    with pytest.raises(ValueError, match=message):
        kind(explain="dots").begin(context.model, synthetic)
    with pytest.raises(ValueError, match=message):
        [*kind(explain="dots").draw(context)]


def test_error_lists_only_some_of_many_classes():
    with pytest.raises(ValueError, match=r"a class: 0, 1, 2, 3, 4, 5, 6, 7, …\.$"):
        class_to_explain("dots", [str(index) for index in range(10)], "grad_cam")


def test_class_activation_is_named_after_its_method(context):
    for method, title in (("grad_cam", "Grad-CAM"), ("hires_cam", "HiResCAM")):
        [(name, figure)] = ClassActivation(method=method, num_images=4).draw(context)
        assert name == method
        expected = f"{title}, epoch 4: 4 images\nEvidence for the predicted class, layer blocks"
        assert figure.get_suptitle() == expected
        assert len(figure.findobj(Picture)) == 4


def test_a_vit_is_explained_by_attention_unless_another_method_is_named(images):
    backbone = TimmBackbone("test_vit", num_channels=1, image_size=32)
    model = ImageClassifier(backbone, 4, Head).eval()
    context = PictureContext(model, NAMES, lambda n: (images[0][:n], images[1][:n]), "epoch 0")
    titles = {"auto": "Gradient-weighted attention rollout", "attn_lrp": "AttnLRP"}
    for method, title in titles.items():
        [(name, figure)] = ClassActivation(method=method, num_images=2).draw(context)
        assert name == {"auto": "gradient_rollout"}.get(method, method)
        assert figure.get_suptitle().startswith(f"{title}, epoch 0: 2 images\n")
        assert figure.get_suptitle().endswith(", 6 attention layers")
    [(name, _)] = ClassActivation(method="grad_cam", num_images=2).draw(context)
    assert name == "grad_cam"


def test_methods_of_all_layers_take_no_layer():
    with pytest.raises(
        ValueError, match=r"grad_cam\.layer is blocks\.0, but attn_lrp explains all"
    ):
        ClassActivation(method="attn_lrp", layer="blocks.0")


def test_named_layer_is_explained_and_an_unknown_one_refused_before_training(context, synthetic):
    picture = ClassActivation(layer="block2.conv", num_images=2)
    picture.begin(context.model, synthetic)
    [(_, figure)] = picture.draw(context)
    assert figure.get_suptitle().endswith("\nEvidence for the predicted class, layer block2.conv")
    with pytest.raises(
        ValueError, match=r"pictures\.grad_cam\.layer: .*no layer 'block9'\. Near names: "
    ):
        ClassActivation(layer="block9").begin(context.model, synthetic)


def test_every_epoch_explains_the_same_layer(context, monkeypatch):
    searches = []

    def search(model, images):
        searches.append(model)
        return last_feature_map(model, images)

    monkeypatch.setattr("models.explain.evidence.last_feature_map", search)
    picture = ClassActivation(num_images=2)
    for _ in range(3):
        [*picture.draw(context)]
    assert len(searches) == 1


def test_saliency_has_one_row_per_image_and_one_column_per_method(context):
    [(name, figure)] = Saliency(num_images=3, methods=("vanilla", "smooth_grad")).draw(context)
    assert name == "saliency"
    assert len(figure.findobj(Picture)) == 3 * 3
    texts = [text.get_text() for text in figure.texts[1:]]
    assert texts[:3] == ["image", "vanilla", "smooth\ngrad"]
    assert figure.get_suptitle() == "Saliency for the predicted class, epoch 4: 3 images"


def test_methods_that_need_a_relu_are_omitted_for_a_vit(images):
    backbone = TimmBackbone("test_vit", num_channels=1, image_size=32)
    model = ImageClassifier(backbone, 4, Head).eval()
    context = PictureContext(model, NAMES, lambda n: (images[0][:n], images[1][:n]), "epoch 0")
    [(_, figure)] = Saliency(num_images=2).draw(context)
    assert len(figure.findobj(Picture)) == 2 * 3  # with the gradient and SmoothGrad


@pytest.mark.parametrize("kind", [ClassActivation, Saliency])
def test_empty_pictures_are_refused(kind):
    with pytest.raises(ValueError, match="num_images"):
        kind(num_images=0)
