import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch import nn

from callbacks.inspection_mode import inspection_mode
from callbacks.outputs import Outputs
from callbacks.pictures import Mistakes, PictureContext
from models import MLP
from models.evaluation.predictions import Predictions
from models.explain import NothingToShow, grad_cam, last_feature_map


@pytest.fixture
def make_context(make_classifier, synthetic):
    """Made-up answers to the first validation images, in their order."""

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
def wrong(synthetic):
    """Eight answers: every image but the first two is taken for the class after its own."""
    labels = torch.from_numpy(synthetic.sources["val"].labels)[:8]
    return torch.cat([labels[:2], (labels[2:] + 1) % 4])


def shown(picture, context):
    with inspection_mode(context.model):
        return dict(picture.draw(context))


def captions(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def pictures(figure):
    return [np.asarray(image.get_array()) for image in figure.axes[0].images]


def test_three_sheets_and_a_table_at_the_end(make_context, wrong):
    sheets = ["mistakes/top_loss", "mistakes/top_confusion", "mistakes/most_confident"]
    assert list(shown(Mistakes(), make_context(wrong, final=False))) == sheets
    assert list(shown(Mistakes(), make_context(wrong))) == [*sheets, "mistakes"]


def test_surest_mistakes_come_first_and_show_their_images(make_context, wrong, synthetic):
    figure = shown(Mistakes(num_images=3, grad_cam=False), make_context(wrong))[
        "mistakes/most_confident"
    ]
    expected = synthetic.images("val", [7, 6, 5]).movedim(1, -1).numpy()  # logits grow with rows
    for picture, image in zip(pictures(figure), expected, strict=True):
        np.testing.assert_allclose(picture, np.broadcast_to(image, picture.shape))


def test_highest_losses_come_first_and_may_be_right(make_context, wrong, synthetic):
    context = make_context(wrong)
    figure = shown(Mistakes(num_images=8, grad_cam=False), context)["mistakes/top_loss"]
    losses = nn.functional.cross_entropy(
        context.predictions.logits, context.predictions.labels, reduction="none"
    )
    assert [caption.split()[-1] for caption in captions(figure)] == [
        f"{loss:.2f}" for loss in losses.sort(descending=True).values
    ]
    assert ["\nright\n" in caption for caption in captions(figure)] == [False] * 6 + [True] * 2


def test_sheet_of_the_most_frequent_confusion(make_context, synthetic):
    labels = torch.from_numpy(synthetic.sources["val"].labels)
    predicted = labels.clone()
    predicted[labels == 2] = 0
    predicted[(labels == 1).nonzero()[0]] = 3
    number = int((labels == 2).sum())
    figure = shown(Mistakes(num_images=2), make_context(predicted))["mistakes/top_confusion"]
    assert figure.get_suptitle() == (
        f"checks taken for rows\nepoch 4: {number} images, 100% of the class"
    )
    assert len(captions(figure)) == 2
    assert all("rows (" in text and "not checks (" in text for text in captions(figure))


def test_named_confusion_is_shown(make_context, wrong):
    named = Mistakes(confusion=("full", "rows"), grad_cam=False)
    figure = shown(named, make_context(wrong))["mistakes/top_confusion"]
    assert figure.get_suptitle().startswith("full taken for rows\n")


def test_confusion_that_never_happened_has_no_sheet(make_context, wrong):
    named = Mistakes(confusion=("rows", "checks"), grad_cam=False)
    assert "mistakes/top_confusion" not in shown(named, make_context(wrong))


def test_class_may_be_called_by_a_number(make_context, wrong):
    named = Mistakes(confusion=(3, 0), grad_cam=False)
    context = make_context(wrong, class_names=["0", "1", "2", "3"])
    title = shown(named, context)["mistakes/top_confusion"].get_suptitle()
    assert title.startswith("3 taken for 0\n")


def test_unknown_class_is_refused(make_context, wrong):
    with pytest.raises(ValueError, match=r"names 'row', which is no class. Near names: rows"):
        shown(Mistakes(confusion=("row", "full")), make_context(wrong))


def test_class_that_is_none_is_refused_before_training(make_classifier, synthetic):
    with pytest.raises(ValueError, match=r"pictures\.mistakes\.confusion names 'x', which is no"):
        Mistakes(confusion=("rows", "x")).begin(make_classifier(), synthetic)


def test_grad_cam_of_the_predicted_class_lies_under_each_image(make_context, wrong, synthetic):
    context = make_context(wrong)
    figure = shown(Mistakes(num_images=2), context)["mistakes/most_confident"]
    images = synthetic.images("val", [7, 6])
    with inspection_mode(context.model):
        name, to_map = last_feature_map(context.model, images)
        layer = context.model.get_submodule(name)
        maps = grad_cam(context.model, layer, images, wrong[[7, 6]], to_map)
    side = images.shape[-1]
    for picture, image, map_ in zip(pictures(figure), images, maps, strict=True):
        cover = 0.75 * map_
        brightness = (1 - cover) * image[0]
        np.testing.assert_allclose(picture[:side, :, 0], image[0])
        heat = picture[-side:] - brightness.numpy()[..., None]
        assert (heat[cover.numpy() > 0.5].max(axis=1) > 0.3).all()
        np.testing.assert_allclose(heat[cover.numpy() == 0], 0, atol=1e-6)


def test_network_without_feature_maps_is_shown_without(make_classifier, make_context, wrong):
    model = make_classifier(make_backbone=lambda: MLP(num_channels=1, image_size=32))
    figure = shown(Mistakes(), make_context(wrong, model=model))["mistakes/top_loss"]
    assert pictures(figure)[0].shape == (32, 32, 3)


def test_each_image_is_read_once(make_context, wrong, synthetic, monkeypatch):
    read, images = [], synthetic.images
    monkeypatch.setattr(
        synthetic, "images", lambda split, indices: read.append(indices) or images(split, indices)
    )
    shown(Mistakes(), make_context(wrong))
    assert read == [[0, 1, 2, 3, 4, 5, 6, 7]]


def test_table_names_the_files_of_the_mistakes(make_context, wrong, synthetic):
    table = shown(Mistakes(grad_cam=False), make_context(wrong))["mistakes"]
    names, labels = synthetic.sources["val"].names, synthetic.sources["val"].labels
    assert table["image"] == [names[row] for row in (7, 6, 5, 4, 3, 2)]
    assert table["label"] == [synthetic.class_names[labels[row]] for row in (7, 6, 5, 4, 3, 2)]
    assert table["predicted"][0] == synthetic.class_names[wrong[7]]
    assert table["confidence"][0] == pytest.approx(np.exp(3) / (np.exp(3) + 3))
    assert table["loss"][0] == pytest.approx(np.log(np.exp(3) + 3))


def test_table_has_no_more_than_its_rows(make_context, wrong, monkeypatch):
    monkeypatch.setattr("callbacks.pictures.mistakes.MAX_ROWS", 4)
    table = shown(Mistakes(grad_cam=False), make_context(wrong))["mistakes"]
    assert [len(column) for column in table.values()] == [4] * 5


def test_without_mistakes_there_is_nothing_to_show(make_context, synthetic):
    right = torch.from_numpy(synthetic.sources["val"].labels)
    with pytest.raises(NothingToShow, match="every image is classified right"):
        shown(Mistakes(), make_context(right))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"labels": torch.full((8,), -1)}, "the images have no labels"),
        ({"data": None}, "the images cannot be read again without a datamodule"),
    ],
)
def test_without_labels_or_images_there_is_nothing_to_show(make_context, wrong, options, reason):
    with pytest.raises(NothingToShow, match=reason):
        shown(Mistakes(), make_context(wrong, **options))


def test_empty_sheet_is_refused():
    with pytest.raises(ValueError, match=r"mistakes.num_images is 0; expected 1 or more"):
        Mistakes(num_images=0)


def test_network_stays_as_it_is(make_context, wrong):
    context = make_context(wrong)
    before = {name: value.clone() for name, value in context.model.state_dict().items()}
    state = torch.get_rng_state()
    assert isinstance(shown(Mistakes(), context)["mistakes/top_loss"], Figure)
    assert all(value.equal(before[name]) for name, value in context.model.state_dict().items())
    assert all(parameter.grad is None for parameter in context.model.parameters())
    assert not any(module._forward_hooks for module in context.model.modules())
    assert torch.get_rng_state().equal(state)
