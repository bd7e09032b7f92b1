import pytest
import yaml

from lightning_app.cli.pictures_off import is_off, with_pictures_off


@pytest.mark.parametrize(
    "text",
    [
        "pictures: false",
        "a: 1\npictures: False  # none at all\nb: 2\n",
        "pictures : no",
        "'pictures': off\n",
        "pictures:\n  false\n",
        "{a: 1, pictures: false}",
    ],
)
def test_pictures_are_switched_off_in_every_spelling_of_false(text):
    changed = with_pictures_off(text)
    expected = yaml.safe_load(text) | {"pictures": {"budget": 0}}
    assert yaml.safe_load(changed) == expected
    assert changed.count("\n") == text.count("\n")  # errors name the right line


def test_true_means_the_pictures_as_they_are():
    assert yaml.safe_load(with_pictures_off("pictures: true")) == {"pictures": {}}


@pytest.mark.parametrize(
    "text",
    [
        "pictures: {saliency: false}\n",
        "pictures:\n  saliency: false\n",
        "data: {pictures: false}",
        "pictures: false: x",
        "[pictures, false]",
        "",
    ],
)
def test_other_settings_stay_as_they_are(text):
    assert with_pictures_off(text) == text


@pytest.mark.parametrize(("value", "off"), [("False", True), ("no", True), ("x", False)])
def test_option_accepts_the_same_spellings(value, off):
    assert is_off(value) is off
    assert not is_off(None)
