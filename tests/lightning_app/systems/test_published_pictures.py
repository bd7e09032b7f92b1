"""Pictures of S3 as configured, compared with direct computations by a network of full size."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from torch.nn.functional import relu

from callbacks import pictures
from callbacks.output_recorder import Outputs
from callbacks.pictures import (
    ActivationMaximisation,
    FeatureMaps,
    Filters,
    PictureContext,
    Saliency,
)
from callbacks.plots.drawing.colour_bar import ColourBar
from callbacks.plots.drawing.page import Picture
from models import Head, ImageClassifier, PlainCNN
from models.evaluation.predictions import Predictions

ROOT = Path(__file__).parents[3]
CLASSES = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]

LABELS = np.array([6, 0, 4, 4, 1, 3, 5, 2, 0, 1])


class Labelled:
    labels = LABELS

    def __len__(self):
        return len(LABELS)


class Faces:
    """Validation images of noise, in the order of the dataset."""

    def __init__(self):
        self.sources = {"val": Labelled()}

    def images(self, split, indices):
        images = torch.rand(10, 1, 48, 48, generator=torch.Generator().manual_seed(0))
        return images[list(indices)]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    backbone = PlainCNN(num_channels=1)
    model = ImageClassifier(
        backbone, 7, lambda features, k: Head(features, k, norm="batch", norm_logits=True)
    )
    model.train()
    with torch.no_grad():
        model(torch.rand(16, 1, 48, 48))  # statistics of the batch norms
    return model.eval()


@pytest.fixture
def context(model):
    data = Faces()
    images, labels = data.images("val", range(10)), torch.from_numpy(LABELS)
    return PictureContext(model, CLASSES, lambda n: (images[:n], labels[:n]), "epoch 4", data=data)


@pytest.fixture
def drawn(monkeypatch, context):
    """Function that draws a picture as configured; the arguments of its plots, by layer."""

    def draw(kind, plot, name="fer2013_cnn", **changes):
        calls = []
        module = f"callbacks.pictures.{kind.name}.{plot}"
        monkeypatch.setattr(module, lambda *arguments: calls.append(arguments))
        names = [key for key, _ in configured(kind, name, **changes).draw(context)]
        return dict(zip(names, calls, strict=True))

    return draw


def configured(kind, name="fer2013_cnn", **changes):
    settings = yaml.safe_load((ROOT / "configs" / f"{name}.yaml").read_text())["pictures"]
    return kind(**{**settings[kind.name], **changes})


def test_first_64_filters_of_each_convolution_by_their_first_input_channel(drawn, model):
    sheets = drawn(Filters, "plot_filters")
    assert list(sheets) == [f"filters/block{index}.conv" for index in (1, 2, 3)]
    for index, (filters, *_) in enumerate(sheets.values(), start=1):
        weight = model.backbone.blocks.get_submodule(f"block{index}.conv").weight
        assert filters.shape == (64, 5, 5)
        np.testing.assert_array_equal(filters, weight[:64, 0].detach())


def test_filters_of_a_layer_share_one_scale_that_is_symmetric_about_zero(context, model):
    for index, (_, figure) in enumerate(configured(Filters).draw(context), start=1):
        weight = model.backbone.blocks.get_submodule(f"block{index}.conv").weight
        largest = weight[:64, 0].abs().max().item()
        [bar] = figure.findobj(ColourBar)
        assert (bar.norm.vmin, bar.norm.vmax) == pytest.approx((-largest, largest))


def test_first_64_feature_maps_of_each_convolution_for_one_face(drawn, context, model):
    sheets = drawn(FeatureMaps, "plot_feature_maps")
    assert list(sheets) == [f"feature_maps/block{index}.conv" for index in (1, 2, 3)]
    image, blocks = context.sample(1)[0], model.backbone.blocks
    with torch.no_grad():
        for index, (maps, shown, *_) in enumerate(sheets.values(), start=1):
            block = blocks.get_submodule(f"block{index}")
            expected = relu(block.conv(blocks[: index - 1](image)))[0, :64]
            np.testing.assert_allclose(maps, expected, atol=1e-6)
            np.testing.assert_array_equal(shown[..., 0], image[0, 0])


@pytest.mark.parametrize("name", ["fer2013_cnn", "fer2013_cnn_better", "fer2013_dnn"])
def test_saliency_of_the_true_classes_of_the_first_six_faces(drawn, context, model, name):
    [(images, maps, *_)] = drawn(Saliency, "plot_saliency", name).values()
    assert list(maps) == ["vanilla", "guided", "rectified"]  # beside the original
    faces = Faces().images("val", range(6)).requires_grad_()
    np.testing.assert_array_equal(images[..., 0], faces[:, 0].detach())
    scores = model(faces)[range(6), LABELS[:6]]
    [gradient] = torch.autograd.grad(scores.sum(), faces)
    np.testing.assert_allclose(maps["vanilla"], gradient[:, 0].abs(), rtol=1e-3, atol=1e-6)


def test_64_filters_of_each_convolution_are_maximised_after_their_relu(drawn):
    picture = configured(ActivationMaximisation)
    assert (picture.method, picture.steps, picture.seconds) == ("pixels", 500, None)
    sheets = drawn(ActivationMaximisation, "plot_maximised", steps=1, classes=False)
    for index, (images, captions, _, title) in enumerate(sheets.values(), start=1):
        assert images.shape == (64, 48, 48, 1)
        assert captions == [str(filter_) for filter_ in range(64)]
        assert f"each channel of block{index}.conv, after ReLU\n" in title
    assert len(sheets) == 3


def test_nine_faces_of_the_most_frequent_confusion_are_three_by_three(context):
    labels = torch.full((10,), CLASSES.index("sad"))
    logits = torch.eye(7)[[6] * 9 + [4]]
    outputs = Outputs(Predictions(logits, labels, torch.arange(10)))
    confused = PictureContext(
        context.model, CLASSES, context.sample, "t", final=False, outputs=outputs, data=context.data
    )
    figure = dict(pictures.Mistakes().draw(confused))["mistakes/top_confusion"]
    assert "sad predicted as neutral" in figure.get_suptitle()
    boxes = [picture.box for picture in figure.findobj(Picture)]
    assert len({box.x0 for box in boxes}) == len({box.y0 for box in boxes}) == 3
