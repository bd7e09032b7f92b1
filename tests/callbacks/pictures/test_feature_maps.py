import pytest
import timm
import torch

from callbacks import OutputRecorder, PictureGallery
from callbacks.pictures import FeatureMaps, PictureContext
from callbacks.plots.drawing.colour_bar import ColourBar
from callbacks.plots.drawing.page import Picture
from lightning_app.store.run_logger import RunLogger
from models import MLP, ImageClassifier, SmallCNN


def context_of(model, channels=1, size=32, labels=(0, 1)):
    images = torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(0))
    probe = (images, torch.tensor(labels))
    return PictureContext(
        model.eval(), ["cat", "dog"], lambda n: tuple(p[:n] for p in probe), "epoch 4"
    )


def shown(picture, model, **options):
    """Figures by name."""
    return dict(picture.draw(context_of(model, **options)))


def title(figure):
    [text] = figure.texts
    return text.get_text().split("\n")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ImageClassifier(SmallCNN(4, num_channels=1), 3)


def test_three_depths_have_the_same_keys_in_every_network(model):
    assert list(shown(FeatureMaps(), model)) == [
        f"feature_maps/{depth}" for depth in ("first", "middle", "last")
    ]
    figures = shown(FeatureMaps(), timm.create_model("test_vit"), channels=3, size=160)
    assert [name.removeprefix("feature_maps/") for name in figures] == ["first", "middle", "last"]
    assert title(figures["feature_maps/middle"])[0] == "Feature maps of blocks.3"


def test_each_named_layer_has_a_key(model):
    figures = shown(FeatureMaps(layers="convolutions", num_maps=6), model)
    assert list(figures) == [f"feature_maps/block{index}.conv" for index in (1, 2, 3)]
    assert title(figures["feature_maps/block2.conv"]) == [
        "Feature maps of block2.conv after ReLU",
        "6 of 8 maps, none constant",
        "Image: cat, epoch 4",
    ]


def test_dead_maps_are_counted_in_the_title(model):
    model.backbone.blocks.block1.norm.bias.data[2:] = -100
    [figure] = shown(FeatureMaps(layers="block1.conv"), model).values()
    assert title(figure)[1] == "4 of 4 maps, 2 constant (2 crossed out)"
    [figure] = shown(FeatureMaps(layers="block1.conv", num_maps=2), model).values()
    assert title(figure)[1] == "2 of 4 maps, 2 constant"
    [figure] = shown(FeatureMaps(layers="block1.conv", activated=False), model).values()
    assert title(figure)[:2] == [
        "Feature maps of block1.conv",
        "4 of 4 maps, none constant",
    ]


def test_image_can_be_chosen_and_may_be_unlabelled(model):
    [figure] = shown(FeatureMaps(layers="block1", image=1), model).values()
    assert title(figure)[2] == "Image: dog, epoch 4"
    corner, _ = figure.findobj(Picture)
    expected = context_of(model).sample(2)[0][1, 0]
    torch.testing.assert_close(torch.tensor(corner.pixels)[..., 0], expected)
    [figure] = shown(FeatureMaps(layers="block1"), model, labels=(-1, -1)).values()
    assert title(figure)[2] == "Image, epoch 4"


def test_a_layer_can_have_one_scale(model):
    [figure] = shown(FeatureMaps(layers="block1", scale="layer"), model).values()
    with torch.no_grad():
        features = model.backbone.blocks.block1(
            model.backbone.normalize(context_of(model).sample(1)[0])
        )
    [bar] = figure.findobj(ColourBar)
    assert (bar.norm.vmin, bar.norm.vmax) == pytest.approx((0, features.max().item()))


def test_drawing_leaves_no_hook_and_no_gradient(model):
    shown(FeatureMaps(), model)
    assert not any(module._forward_hooks for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_network_without_feature_maps_has_nothing_to_show():
    with pytest.raises(ValueError, match="No layer of the network returns a feature map"):
        shown(FeatureMaps(), MLP((5,), 0.0, num_channels=1, image_size=32))


def test_pattern_without_feature_maps_has_nothing_to_show(model):
    with pytest.raises(ValueError, match="'head' matches no layer that has a feature map"):
        shown(FeatureMaps(layers=["block1", "head"]), model)
    model = timm.create_model("test_efficientnet")  # some of its convolutions have no feature map
    names = shown(FeatureMaps(layers="convolutions"), model, channels=3).keys()
    assert "feature_maps/conv_stem" in names
    assert not any("se." in name for name in names)


def test_missing_image_is_an_error(model):
    with pytest.raises(ValueError, match="image is 5; expected 0 to 1: there are 2 images"):
        shown(FeatureMaps(image=5), model)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": ["block1", "block7"]}, r"pictures\.feature_maps\.layers: .* no layer 'block7'"),
        (
            {"image": 12},
            r"pictures\.feature_maps\.image is 12; expected 0 to 11: there are 12 images",
        ),
    ],
)
def test_missing_layers_and_images_are_refused_before_training(model, synthetic, options, message):
    with pytest.raises(ValueError, match=message):
        FeatureMaps(**options).begin(model, synthetic)


@pytest.mark.parametrize(("option", "least"), [("num_maps", 1), ("image", 0)])
def test_numbers_out_of_range_are_refused(option, least):
    message = f"pictures.feature_maps.{option} is {least - 1}; expected {least} or more"
    with pytest.raises(ValueError, match=message):
        FeatureMaps(**{option: least - 1})


def test_names_of_layers_are_keys_of_the_image_grid(
    workplace, client, make_classifier, make_trainer, synthetic
):
    logger, recorder = RunLogger("maps"), OutputRecorder()
    picture = FeatureMaps(layers=["block1.conv", "block2"])
    trainer = make_trainer(
        logger=logger, max_epochs=1, callbacks=[recorder, PictureGallery([picture], recorder)]
    )
    trainer.fit(make_classifier(), synthetic)
    files = [file.path for file in client.list_artifacts(logger.run_id, "images")]
    keys = {file.removeprefix("images/").split("+step+")[0] for file in files}
    assert keys == {"val~feature_maps~block1.conv", "val~feature_maps~block2"}
