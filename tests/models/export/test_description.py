import json

import pytest

from models.export.description import Description

FULL = Description(
    class_names=("Katze", "猫", 'a "b"'),
    image_size=48,
    num_channels=1,
    resize="pad",
    temperature=1.25,
    any_size=True,
    min_size=7,
    mean=(0.5,),
    std=(0.25,),
    network="resnet18",
    run_id="0123",
    run_name="12",
    epoch=3,
)


def test_metadata_are_texts_that_give_the_same_description():
    metadata = FULL.metadata()
    assert all(isinstance(value, str) for value in metadata.values())
    assert Description.from_metadata(metadata) == FULL
    assert Description.from_json(FULL.to_json()) == FULL
    assert json.loads(metadata["class_names"]) == ["Katze", "猫", 'a "b"']


def test_metadata_say_in_words_what_goes_in_and_how_images_are_resized():
    words = FULL.in_words()
    assert "uint8, (N, 1, H, W), grey, values in 0…255, 48 x 48 pixels; other" in words["input"]
    assert "from 7 pixels on" in words["input"]
    assert words["resize_rule"].startswith("The image is resized to fit into the square")


def test_what_does_not_describe_a_network_is_refused():
    with pytest.raises(ValueError, match=r"no `class_names`. Expected a file of `lightning_cli"):
        Description.from_metadata({"producer": "another"})
    with pytest.raises(ValueError, match="The description of the network is damaged"):
        Description.from_metadata({**FULL.metadata(), "mean": "[0.5"})
