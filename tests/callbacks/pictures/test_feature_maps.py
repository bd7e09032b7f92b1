import pytest
import timm
import torch

from callbacks import Gallery, OutputRecorder
from callbacks.pictures import FeatureMaps, PictureContext
from lightning_app.store.run_logger import RunLogger
from models import MLP, ImageClassifier, SmallCNN


def scene_of(model, channels=1, size=32, labels=(0, 1)):
    images = torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(0))
    probe = (images, torch.tensor(labels))
    return PictureContext(
        model.eval(), ["cat", "dog"], lambda n: tuple(p[:n] for p in probe), "epoch 4"
    )


def shown(picture, model, **options):
    """Figures by name."""
    return dict(picture.draw(scene_of(model, **options)))


def title(figure):
    [text] = figure.texts
    return text.get_text().split("\n")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ImageClassifier(SmallCNN(4, num_channels=1), 3)


def test_three_depths_have_keys_that_are_alike_in_every_network(model):
    assert list(shown(FeatureMaps(), model)) == [
        f"feature_maps/{depth}" for depth in ("first", "middle", "last")
    ]
    figures = shown(FeatureMaps(), timm.create_model("test_vit"), channels=3, size=160)
    assert [name.removeprefix("feature_maps/") for name in figures] == ["first", "middle", "last"]
    assert title(figures["feature_maps/middle"])[0] == "blocks.3"


def test_layers_that_are_asked_for_have_a_key_each(model):
    figures = shown(FeatureMaps(layers="convolutions", num_maps=6), model)
    assert list(figures) == [f"feature_maps/block{index}.conv" for index in (1, 2, 3)]
    assert title(figures["feature_maps/block2.conv"]) == [
        "block2.conv after ReLU",
        "6 of 8 maps, none dead",
        "image: cat",
        "epoch 4",
    ]


def test_dead_maps_are_counted_in_the_title(model):
    model.backbone.blocks.block1.norm.bias.data[2:] = -100
    [figure] = shown(FeatureMaps(layers="block1.conv"), model).values()
    assert title(figure)[1] == "4 of 4 maps, 2 dead (2 crossed out)"
    [figure] = shown(FeatureMaps(layers="block1.conv", num_maps=2), model).values()
    assert title(figure)[1] == "2 of 4 maps, 2 dead"
    [figure] = shown(FeatureMaps(layers="block1.conv", activated=False), model).values()
    assert title(figure)[:2] == ["block1.conv", "4 of 4 maps, none dead"]


def test_image_can_be_chosen_and_need_not_have_a_label(model):
    [figure] = shown(FeatureMaps(layers="block1", image=1), model).values()
    assert title(figure)[2] == "image: dog"
    corner = next(
        axes for axes in figure.axes if axes.get_images()[:1] and axes is not figure.axes[0]
    )
    expected = scene_of(model).sample(2)[0][1, 0]
    torch.testing.assert_close(torch.tensor(corner.images[0].get_array())[..., 0], expected)
    [figure] = shown(FeatureMaps(layers="block1"), model, labels=(-1, -1)).values()
    assert title(figure)[2] == "image"


def test_one_scale_of_a_layer(model):
    [figure] = shown(FeatureMaps(layers="block1", scale="layer"), model).values()
    with torch.no_grad():
        features = model.backbone.blocks.block1(
            model.backbone.normalize(scene_of(model).sample(1)[0])
        )
    bar = next(axes for axes in figure.axes if axes.get_ylabel())
    assert bar.get_ylim() == pytest.approx((0, features.max().item()))


def test_drawing_leaves_no_hook_and_no_gradient(model):
    shown(FeatureMaps(), model)
    assert not any(module._forward_hooks for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_network_without_maps_has_nothing_to_show():
    with pytest.raises(ValueError, match="No layer of the network puts out a feature map"):
        shown(FeatureMaps(), MLP((5,), 0.0, num_channels=1, image_size=32))


def test_pattern_that_names_no_layer_with_maps_has_nothing_to_show(model):
    with pytest.raises(ValueError, match="'head' names no layer that puts out a map"):
        shown(FeatureMaps(layers=["block1", "head"]), model)
    model = timm.create_model("test_efficientnet")  # some of its convolutions squeeze and excite
    names = shown(FeatureMaps(layers="convolutions"), model, channels=3).keys()
    assert "feature_maps/conv_stem" in names
    assert not any("se." in name for name in names)


def test_image_that_is_not_there_is_an_error(model):
    with pytest.raises(ValueError, match="image is 5; there are 2 images, the first is 0"):
        shown(FeatureMaps(image=5), model)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": ["block1", "block7"]}, r"pictures\.feature_maps\.layers: .* no layer 'block7'"),
        ({"image": 12}, r"pictures\.feature_maps\.image is 12; there are 12 images"),
    ],
)
def test_what_is_not_there_is_refused_before_training(model, synthetic, options, message):
    with pytest.raises(ValueError, match=message):
        FeatureMaps(**options).begin(model, synthetic)


@pytest.mark.parametrize(("option", "least"), [("num_maps", 1), ("image", 0)])
def test_numbers_that_name_nothing_are_refused(option, least):
    message = f"pictures.feature_maps.{option} is {least - 1}; expected {least} or more"
    with pytest.raises(ValueError, match=message):
        FeatureMaps(**{option: least - 1})


def test_keys_with_the_names_of_layers_are_taken_by_the_tracker(
    workplace, client, make_classifier, make_trainer, synthetic
):
    logger, recorder = RunLogger("maps"), OutputRecorder()
    picture = FeatureMaps(layers=["block1.conv", "block2"])
    trainer = make_trainer(
        logger=logger, max_epochs=1, callbacks=[recorder, Gallery([picture], recorder)]
    )
    trainer.fit(make_classifier(), synthetic)
    files = [file.path for file in client.list_artifacts(logger.run_id, "images")]
    keys = {file.removeprefix("images/").split("+step+")[0] for file in files}
    assert keys == {"val~feature_maps~block1.conv", "val~feature_maps~block2"}
