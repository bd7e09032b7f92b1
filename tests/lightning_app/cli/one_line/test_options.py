import pytest

from lightning_app.cli.one_line.options import about_data, after_configs, take, take_path
from lightning_app.cli.one_line.settings import seconds_of


@pytest.mark.parametrize(
    ("options", "path", "left"),
    [
        (["photos"], "photos", []),
        (["--recipe", "probe", "photos"], "photos", ["--recipe", "probe"]),
        (["photos", "--data.seed=1"], "photos", ["--data.seed=1"]),
        (["--print_config", "photos"], "photos", ["--print_config"]),
        (["--config=a.yaml", "photos"], "photos", ["--config=a.yaml"]),
        (["--ckpt_path", "last"], None, ["--ckpt_path", "last"]),
        (["a.yaml"], None, ["a.yaml"]),
        (["--trainer.devices", "2"], None, ["--trainer.devices", "2"]),
    ],
)
def test_path_is_what_belongs_to_no_option(options, path, left):
    assert take_path(options) == path
    assert options == left


@pytest.mark.parametrize("options", [["--time=20m", "--x"], ["--x", "--time", "20m"]])
def test_option_is_taken_with_its_value(options):
    assert take("--time", options) == "20m"
    assert options == ["--x"]
    assert take("--time", options) is None


def test_layout_follows_the_last_configuration():
    assert after_configs(["--a=1"], ["L"]) == ["L", "--a=1"]
    assert after_configs(["--config", "a", "--b", "2"], ["L"]) == ["--config", "a", "L", "--b", "2"]
    assert after_configs(["-c=a", "--b=2"], ["L"]) == ["-c=a", "L", "--b=2"]


def test_settings_of_the_data_are_kept_and_others_left_out():
    config = "--config={data: {class_path: X}, model: {class_path: Y}}"
    options = [config, "--data.root", "here", "--model.head", "Z", "--data_x=1", "--data=W"]
    expected = ["--config={data: {class_path: X}}", "--data.root", "here", "--data=W"]
    assert about_data(options) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20m", 1200), ("90s", 90), ("1h30m", 5400), ("1.5h", 5400), ("2d", 172_800), ("1H 5M", 3900)],
)
def test_durations_are_read(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["20", "0m", "m", "20x", "20m later", ""])
def test_other_texts_are_no_durations(text):
    with pytest.raises(ValueError, match="Expected --time such as 20m"):
        seconds_of(text)
