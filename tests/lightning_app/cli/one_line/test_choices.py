import pytest

from lightning_app.cli.one_line.choices import (
    epochs_for,
    image_size_for,
    network_size,
    precision_for,
    processes_for,
)
from lightning_app.cli.one_line.weight_origin import Backbone


@pytest.mark.parametrize(
    ("side", "on_gpu", "expected"),
    [
        (1000, True, 224),
        (1000, False, 128),
        (224, True, 224),
        (150, True, 160),
        (150, False, 128),
        (48, False, 64),
        (8, True, 32),
        (None, True, 224),
    ],
)
def test_images_are_as_large_as_network_files_and_device_allow(side, on_gpu, expected):
    assert image_size_for(side, 224, on_gpu)[0] == expected


def test_image_size_is_explained():
    assert image_size_for(150, 224, True)[1] == "the files have 150"
    assert (
        image_size_for(500, 224, False)[1] == "the files have 500; more would be slow without a GPU"
    )


@pytest.mark.parametrize(
    ("num_images", "expected"), [(10, 40), (2000, 40), (16_000, 20), (128_000, 10), (10**9, 1)]
)
def test_epochs_fall_with_the_cube_root_of_the_number_of_images(num_images, expected):
    assert epochs_for(num_images, 40) == expected


def test_precision_suits_the_device():
    assert precision_for("cuda", bf16=True) == ("bf16-mixed", True)
    assert precision_for("cuda", bf16=False) == ("16-mixed", True)
    assert precision_for("cpu", bf16=False) == ("32-true", True)
    assert precision_for("mps", bf16=False) == ("32-true", False)


def test_devices_are_counted():
    assert processes_for("cuda", "4") == 4
    assert processes_for("cuda", "[0, 2]") == 2
    assert processes_for("cpu", "auto") == 1


def test_networks_have_the_image_size_of_their_weights():
    assert network_size(Backbone("TimmBackbone", "vit_base_patch16_384", "")) == 384
    assert network_size(Backbone("TorchvisionBackbone", "resnet18", "")) == 224
    assert network_size(Backbone("TimmBackbone", "misspelt", "")) == 224
