import numpy as np
import pytest
import torch
from torch import nn

from callbacks import OutputRecorder, PictureGallery
from callbacks.pictures import Filters, PictureContext
from models import MLP, ImageClassifier, SmallCNN


def context_of(model, channels=1, size=8):
    images = torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(0))
    return PictureContext(
        model.eval(), ["cat", "dog"], lambda n: (images[:n], torch.zeros(n)), "epoch 4"
    )


def shown(picture, model, **options):
    """Figures by name."""
    return dict(picture.draw(context_of(model, **options)))


def title(figure):
    [text] = figure.texts
    return text.get_text()


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ImageClassifier(SmallCNN(4, num_channels=1), 3)


def test_default_is_the_layer_that_gets_the_image(model):
    figures = shown(Filters(), model)
    assert list(figures) == ["filters"]
    assert title(figures["filters"]) == "Filters of block1.conv, epoch 4\n4 of 4 filters"


def test_each_named_layer_has_a_key(model):
    figures = shown(Filters(layers="convolutions", num_filters=6), model)
    assert list(figures) == [f"filters/block{index}.conv" for index in (1, 2, 3)]
    assert title(figures["filters/block3.conv"]) == (
        "Filters of block3.conv, epoch 4\n6 of 16 filters, input channel 0 of 8"
    )


def test_title_names_the_part_of_the_filters():
    model = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.Conv2d(6, 6, 3, groups=6), nn.Conv2d(6, 4, 3, groups=2)
    )
    titles = [title(f) for f in shown(Filters(layers="convolutions"), model).values()]
    assert titles == [
        "Filters of 0, epoch 4\n6 of 6 filters, in colour",
        "Filters of 1, epoch 4\n6 of 6 filters, each for one input channel",
        "Filters of 2, epoch 4\n4 of 4 filters, input channel 0 of 3 (in each of 2 groups)",
    ]


def test_norm_is_a_magnitude(model):
    [figure] = shown(Filters(layers=["block2.conv"], channel="norm"), model).values()
    assert "norm over 4 input channels" in title(figure)
    assert figure.axes[1].get_ylabel() == "norm of weights"
    assert figure.axes[1].get_ylim()[0] == 0


def test_linear_layer_is_a_matrix(model):
    [figure] = shown(Filters(layers="head*", num_filters=2), model).values()
    assert figure.axes[0].get_ylabel() == "filter"
    assert figure.axes[0].images[0].get_extent() == [-0.5, 15.5, 1.5, -0.5]


def test_filters_of_a_first_linear_layer_are_images():
    [figure] = shown(Filters(), MLP((5,), 0.0, num_channels=1, image_size=8)).values()
    assert title(figure) == "Filters of layer1.0, epoch 4\n5 of 5 filters"
    assert figure.axes[0].get_ylabel() == ""  # not a matrix


def test_difference_is_zero_at_first_and_then_the_change_of_the_weights(model, synthetic):
    picture = Filters(difference=True)
    picture.begin(model, synthetic)
    figures = shown(picture, model)
    assert list(figures) == ["filters", "filters_change"]
    assert title(figures["filters_change"]) == (
        "Change of the filters of block1.conv, epoch 4\n4 of 4 filters"
    )
    sheet = np.asarray(figures["filters_change"].axes[0].images[0].get_array())
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) == 2  # zero, and the gaps
    model.backbone.blocks.block1.conv.weight.data[2, 0, 1, 1] += 0.25
    bar = shown(picture, model)["filters_change"].axes[1]
    assert bar.get_ylim() == pytest.approx((-0.25, 0.25))


def test_another_model_has_its_own_initial_weights(model, synthetic):
    picture = Filters(difference=True)
    picture.begin(model, synthetic)
    other = ImageClassifier(SmallCNN(4, num_channels=1), 3)
    picture.begin(other, synthetic)
    other.backbone.blocks.block1.conv.weight.data += 0.5
    bar = shown(picture, other)["filters_change"].axes[1]
    assert bar.get_ylim() == pytest.approx((-0.5, 0.5))


def test_initial_weights_are_kept_only_for_the_difference(model, synthetic):
    picture = Filters(layers="convolutions")
    picture.begin(model, synthetic)
    assert picture._initial is None


def test_resumed_fit_shows_the_difference_from_the_initial_weights(
    make_classifier, make_trainer, synthetic, tmp_path
):
    first = make_trainer(max_epochs=1)
    first.fit(make_classifier(), synthetic)
    first.save_checkpoint(tmp_path / "a.ckpt")
    initial, picture = make_classifier(), Filters(difference=True)
    recorder = OutputRecorder()
    callbacks = [recorder, PictureGallery([picture], recorder)]
    trainer = make_trainer(max_epochs=1, callbacks=callbacks)  # nothing is left to train
    trainer.fit(resumed := make_classifier(), synthetic, ckpt_path=tmp_path / "a.ckpt")
    weights = [m.backbone.blocks.block1.conv.weight.detach() for m in (initial, resumed)]
    [kept] = picture._initial.values()
    torch.testing.assert_close(kept, weights[0])
    limit = (weights[1] - weights[0]).abs().max().item()
    assert limit > 0
    bar = shown(picture, resumed)["filters_change"].axes[1]
    assert bar.get_ylim() == pytest.approx((-limit, limit))


def test_without_initial_weights_there_is_no_difference(model):
    drawn = Filters(difference=True).draw(context_of(model))
    assert next(drawn)[0] == "filters"
    with pytest.raises(ValueError, match="the weights before training are not known"):
        next(drawn)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": "block9"}, "no layer 'block9'"),
        ({"layers": ["block1.norm"]}, "'block1.norm' is a layer without filters"),
        ({"layers": "block2.conv", "channel": 4}, "Expected a channel below 4"),
    ],
)
def test_settings_that_do_not_fit_the_network_are_refused_before_training(
    model, synthetic, options, message
):
    with pytest.raises(ValueError, match=message):
        Filters(**options).begin(model, synthetic)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_filters": 0}, "pictures.filters.num_filters is 0; expected 1 or more"),
        ({"channel": -1}, "pictures.filters.channel is -1; expected 0 or more, or norm"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Filters(**options)
