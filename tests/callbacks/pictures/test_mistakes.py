import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from callbacks.inspection_mode import inspection_mode
from callbacks.output_recorder import Outputs
from callbacks.pictures import Mistakes, PictureContext
from callbacks.plots.drawing.page import Picture
from models import MLP
from models.evaluation.predictions import Predictions
from models.explain import NothingToShow, grad_cam, last_feature_map


@pytest.fixture
def make_context(make_classifier, synthetic):
    """Made-up predictions for the first validation images."""

    def make(predicted, confidence=None, model=None, **options):
        labels = torch.from_numpy(synthetic.sources["val"].labels)[: len(predicted)]
        chosen = nn.functional.one_hot(torch.as_tensor(predicted), 4).float()
        logits = chosen * torch.linspace(2, 3, len(predicted))[:, None]
        found = Predictions(
            logits if confidence is None else confidence * chosen,
            options.pop("labels", labels),
            torch.arange(len(predicted)),
        )
        return PictureContext(
            (model or make_classifier()).eval(),
            options.pop("class_names", synthetic.class_names),
            synthetic.sample,
            "epoch 4",
            outputs=Outputs(found),
            **{"data": synthetic, **options},
        )

    return make


@pytest.fixture
def predicted(synthetic):
    """Predictions for eight images: all but the first two are of the class after their own."""
    labels = torch.from_numpy(synthetic.sources["val"].labels)[:8]
    return torch.cat([labels[:2], (labels[2:] + 1) % 4])


def shown(picture, context):
    with inspection_mode(context.model):
        return dict(picture.draw(context))


def captions(figure):
    return [text.get_text() for text in figure.texts[1:]]


def pictures(figure):
    return [picture.pixels for picture in figure.findobj(Picture)]


def test_titles_have_epoch_and_number_of_images(make_context, predicted):
    shown_figures = shown(Mistakes(num_images=3, grad_cam=False), make_context(predicted))
    names = ("top_loss", "most_confident")
    titles = [shown_figures[f"mistakes/{name}"].get_suptitle() for name in names]
    assert titles == [
        "Highest losses, epoch 4: 3 of 8 images\n6 mistakes among 8 images",
        "Most confident mistakes, epoch 4: 3 of 6\n6 mistakes among 8 images",
    ]


def test_there_are_three_sheets_and_at_the_end_a_table(make_context, predicted):
    sheets = ["mistakes/top_loss", "mistakes/top_confusion", "mistakes/most_confident"]
    assert list(shown(Mistakes(), make_context(predicted, final=False))) == sheets
    assert list(shown(Mistakes(), make_context(predicted))) == [*sheets, "mistakes"]


def test_most_confident_mistakes_come_first(make_context, predicted, synthetic):
    figure = shown(Mistakes(num_images=3, grad_cam=False), make_context(predicted))[
        "mistakes/most_confident"
    ]
    expected = synthetic.images("val", [7, 6, 5]).movedim(1, -1).numpy()  # logits grow with rows
    for picture, image in zip(pictures(figure), expected, strict=True):
        np.testing.assert_allclose(picture, np.broadcast_to(image, picture.shape))


def test_highest_losses_come_first_and_may_be_correct(make_context, predicted, synthetic):
    context = make_context(predicted)
    figure = shown(Mistakes(num_images=8, grad_cam=False), context)["mistakes/top_loss"]
    losses = nn.functional.cross_entropy(
        context.predictions.logits, context.predictions.labels, reduction="none"
    )
    assert [caption.split()[-1] for caption in captions(figure)] == [
        f"{loss:.2f}" for loss in losses.sort(descending=True).values
    ]
    assert ["\ncorrect\n" in caption for caption in captions(figure)] == [False] * 6 + [True] * 2


def test_most_frequent_confusion_is_shown(make_context, synthetic):
    labels = torch.from_numpy(synthetic.sources["val"].labels)
    predicted = labels.clone()
    predicted[labels == 2] = 0
    predicted[(labels == 1).nonzero()[0]] = 3
    number = int((labels == 2).sum())
    figure = shown(Mistakes(num_images=2), make_context(predicted))["mistakes/top_confusion"]
    assert figure.get_suptitle() == (
        f"Most frequent confusion, epoch 4: 2 of {number} images\n"
        "checks predicted as rows, 100% of the class"
    )
    assert len(captions(figure)) == 2
    assert all("rows (" in text and "not checks (" in text for text in captions(figure))


def test_named_confusion_is_shown(make_context, predicted):
    named = Mistakes(confusion=("full", "rows"), grad_cam=False)
    figure = shown(named, make_context(predicted))["mistakes/top_confusion"]
    assert figure.get_suptitle().startswith("Confusion, epoch 4: ")
    assert "\nfull predicted as rows, " in figure.get_suptitle()


def test_confusion_that_does_not_occur_has_no_sheet(make_context, predicted):
    named = Mistakes(confusion=("rows", "checks"), grad_cam=False)
    assert "mistakes/top_confusion" not in shown(named, make_context(predicted))


def test_class_name_may_be_a_number(make_context, predicted):
    named = Mistakes(confusion=(3, 0), grad_cam=False)
    context = make_context(predicted, class_names=["0", "1", "2", "3"])
    title = shown(named, context)["mistakes/top_confusion"].get_suptitle()
    assert "\n3 predicted as 0, " in title


def test_unknown_class_is_refused(make_context, predicted):
    with pytest.raises(ValueError, match=r"names 'row', which is not a class. Near names: rows"):
        shown(Mistakes(confusion=("row", "full")), make_context(predicted))


def test_unknown_class_is_refused_before_training(make_classifier, synthetic):
    with pytest.raises(ValueError, match=r"pictures\.mistakes\.confusion names 'x', which is not"):
        Mistakes(confusion=("rows", "x")).begin(make_classifier(), synthetic)


def test_grad_cam_of_the_predicted_class_is_beside_each_image(make_context, predicted, synthetic):
    context = make_context(predicted)
    figure = shown(Mistakes(num_images=2), context)["mistakes/most_confident"]
    images = synthetic.images("val", [7, 6])
    with inspection_mode(context.model):
        name, to_map = last_feature_map(context.model, images)
        layer = context.model.get_submodule(name)
        maps = grad_cam(context.model, layer, images, predicted[[7, 6]], to_map)
    side = images.shape[-1]
    for picture, image, map_ in zip(pictures(figure), images, maps, strict=True):
        cover = 0.75 * map_
        brightness = (1 - cover) * image[0]
        np.testing.assert_allclose(picture[:, :side, 0], image[0])
        heat = picture[:, -side:] - brightness.numpy()[..., None]
        assert (heat[cover.numpy() > 0.5].max(axis=1) > 0.3).all()
        np.testing.assert_allclose(heat[cover.numpy() == 0], 0, atol=1e-6)


def test_without_feature_maps_there_are_no_heat_maps(make_classifier, make_context, predicted):
    model = make_classifier(make_backbone=lambda: MLP(num_channels=1, image_size=32))
    figure = shown(Mistakes(), make_context(predicted, model=model))["mistakes/top_loss"]
    assert pictures(figure)[0].shape == (32, 32, 3)


def test_each_image_is_read_once(make_context, predicted, synthetic, monkeypatch):
    read, images = [], synthetic.images
    monkeypatch.setattr(
        synthetic, "images", lambda split, indices: read.append(indices) or images(split, indices)
    )
    shown(Mistakes(), make_context(predicted))
    assert read == [[0, 1, 2, 3, 4, 5, 6, 7]]


def test_table_names_the_files_of_the_mistakes(make_context, predicted, synthetic):
    table = shown(Mistakes(grad_cam=False), make_context(predicted))["mistakes"]
    names, labels = synthetic.sources["val"].names, synthetic.sources["val"].labels
    assert table["image"] == [names[row] for row in (7, 6, 5, 4, 3, 2)]
    assert table["label"] == [synthetic.class_names[labels[row]] for row in (7, 6, 5, 4, 3, 2)]
    assert table["predicted"][0] == synthetic.class_names[predicted[7]]
    assert table["confidence"][0] == pytest.approx(np.exp(3) / (np.exp(3) + 3))
    assert table["loss"][0] == pytest.approx(np.log(np.exp(3) + 3))


def test_table_has_a_limited_number_of_rows(make_context, predicted, monkeypatch):
    monkeypatch.setattr("callbacks.pictures.mistakes.MAX_ROWS", 4)
    table = shown(Mistakes(grad_cam=False), make_context(predicted))["mistakes"]
    assert [len(column) for column in table.values()] == [4] * 5


def test_without_mistakes_there_is_nothing_to_show(make_context, synthetic):
    correct = torch.from_numpy(synthetic.sources["val"].labels)
    with pytest.raises(NothingToShow, match="every image is classified correctly"):
        shown(Mistakes(), make_context(correct))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"labels": torch.full((8,), -1)}, "the images have no labels"),
        ({"data": None}, "the images cannot be read again without a datamodule"),
    ],
)
def test_without_labels_or_images_there_is_nothing_to_show(
    make_context, predicted, options, reason
):
    with pytest.raises(NothingToShow, match=reason):
        shown(Mistakes(), make_context(predicted, **options))


def test_zero_images_are_refused():
    with pytest.raises(ValueError, match=r"mistakes.num_images is 0; expected 1 or more"):
        Mistakes(num_images=0)


def test_drawing_changes_neither_network_nor_random_state(make_context, predicted):
    context = make_context(predicted)
    before = {name: value.clone() for name, value in context.model.state_dict().items()}
    state = torch.get_rng_state()
    assert isinstance(shown(Mistakes(), context)["mistakes/top_loss"], Figure)
    assert all(value.equal(before[name]) for name, value in context.model.state_dict().items())
    assert all(parameter.grad is None for parameter in context.model.parameters())
    assert not any(module._forward_hooks for module in context.model.modules())
    assert torch.get_rng_state().equal(state)
