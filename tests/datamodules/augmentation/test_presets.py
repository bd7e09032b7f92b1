import warnings

import numpy as np
import pytest
from lightning.pytorch.cli import LightningArgumentParser

from datamodules import ImageFolderDataModule
from datamodules.augmentation.load import FOLDER, load_augmentation, preset_names
from datamodules.augmentation.pipeline import Augmentation

SEEDS = range(400)
TOLERANCE = 0.08  # of a share among 400 draws: more than three standard deviations


@pytest.fixture
def colours():
    """An image without symmetry, with quarters of different colours."""
    image = np.full((60, 60, 3), (200, 60, 60), np.uint8)
    image[:30, 30:], image[30:, :30] = (60, 200, 60), (60, 60, 200)
    image[30:, 30:] = (180, 180, 60)
    return image


def test_names_of_the_presets():
    assert preset_names() == [
        *("glyphs", "light", "medium", "none", "rand", "s0", "s1", "s2", "trivial"),
    ]


@pytest.mark.parametrize("name", preset_names())
@pytest.mark.parametrize("shape", [(28, 28, 1), (28, 28, 3), (150, 150, 3)])
def test_images_keep_size_and_type_without_a_warning(name, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    augmentation = Augmentation(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = [augmentation(image, seed) for seed in range(60)]
    assert {(copy.shape, copy.dtype) for copy in drawn} == {(shape, np.dtype(np.uint8))}


@pytest.mark.parametrize("name", preset_names())
def test_preset_pasted_into_a_configuration_gives_the_same_images(name, tmp_path, colours):
    lines = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    pasted = "\n".join(f"    {line}" for line in lines)
    parser = LightningArgumentParser(exit_on_error=False)
    parser.add_lightning_class_args(ImageFolderDataModule, "data")
    config = parser.parse_string(f"data:\n  root: {tmp_path}\n  augmentation:\n{pasted}\n")
    data = parser.instantiate_classes(config)["data"]
    by_name = Augmentation(name)
    for seed in range(10):
        np.testing.assert_array_equal(data.augmentation(colours, seed), by_name(colours, seed))


@pytest.mark.parametrize("name", preset_names())
def test_preset_begins_with_a_comment(name):
    assert "#" in (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]


@pytest.mark.parametrize("name", ["s1", "s2"])
def test_half_of_the_images_are_mirrored(name, colours):
    drawn = draws(Augmentation(name), colours)
    assert abs(np.mean([is_mirrored(copy, colours) for copy in drawn]) - 0.5) < TOLERANCE


def draws(augmentation, image, seeds=SEEDS):
    return [augmentation(image, seed) for seed in seeds]


def is_mirrored(copy, image):
    """Whether the colours in the middles of the four quarters are mirrored."""
    seen, straight = (picture[15::30, 15::30].astype(int) for picture in (copy, image))
    return np.abs(seen - straight[:, ::-1]).sum() < np.abs(seen - straight).sum()


def slope(copy):
    """Angle, in degrees, of a line through the bright pixels."""
    rows, columns = np.nonzero(copy[..., 0] > 60)
    return np.degrees(np.arctan(np.polyfit(columns, rows, 1)[0]))


def test_s1_never_turns_images_upside_down():
    image = np.zeros((60, 60, 3), np.uint8)
    image[:30] = 255
    assert all(
        copy[15, 30].mean() > copy[42, 30].mean() for copy in draws(Augmentation("s1"), image)
    )


def test_s1_wraps_around_the_edges():
    """A stripe at the left edge is also at the right of most images, since they are smaller."""
    image = np.full((60, 60, 3), 40, np.uint8)
    image[:, :6] = 255
    drawn = draws(Augmentation(load_augmentation("s1")[:1]), image)
    assert np.mean([copy[25:35, 50:].max() > 200 for copy in drawn]) > 0.5
    assert min(copy.min() for copy in drawn) == 40  # no black corner


def test_s1_shrinks_by_at_most_a_fifth_of_a_side():
    """A square that stays inside however it is moved has 1 / (zoom_x · zoom_y) of its area."""
    image = np.zeros((90, 90, 3), np.uint8)
    image[35:55, 35:55] = 255
    drawn = draws(Augmentation("s1"), image)
    shares = [copy[20:70, 20:70].sum() / image.sum() for copy in drawn]
    assert 0.97 / 1.2**2 < min(shares) < 0.74
    assert 0.96 < max(shares) < 1.03


def test_s2_rotates_by_at_most_fifteen_degrees():
    image = np.zeros((101, 101, 1), np.uint8)
    image[50, 20:81] = 255
    angles = [slope(copy) for copy in draws(Augmentation("s2"), image)]
    assert -15.5 < min(angles) < -14
    assert 14 < max(angles) < 15.5
    assert abs(np.mean(angles)) < 1.5


def test_s0_draws_each_branch_equally_often(colours):
    """Of five branches one always rotates; the others leave every second image unchanged."""
    drawn = draws(Augmentation("s0"), colours, range(800))
    shares = {
        "unchanged": np.mean([np.array_equal(copy, colours) for copy in drawn]),
        "mirrored": np.mean([np.array_equal(copy, colours[:, ::-1]) for copy in drawn]),
        "grey": np.mean([np.ptp(copy.astype(int), axis=2).max() == 0 for copy in drawn]),
        "turned or tilted": np.mean([(copy.max(axis=2) == 0).any() for copy in drawn]),
    }
    expected = {"unchanged": 0.4, "mirrored": 0.1, "grey": 0.1, "turned or tilted": 0.3}
    assert shares == pytest.approx(expected, abs=0.05)


def test_s0_rotates_by_at_most_twenty_degrees():
    [branches] = load_augmentation("s0")
    *_, turn, _ = branches.transforms
    image = np.zeros((101, 101, 1), np.uint8)
    image[50, 20:81] = 255
    angles = [abs(slope(copy)) for copy in draws(Augmentation([turn]), image)]
    assert 19 < max(angles) < 20.5


def test_trivial_draws_fourteen_operations_equally_often(colours):
    """Measured by the share of images that are rotated, sheared or moved over the edge."""
    _, operations = load_augmentation("trivial")
    assert len(operations.transforms) == 14
    assert len({operation.p for operation in operations.transforms}) == 1
    black = np.mean([(c.max(axis=2) == 0).any() for c in draws(Augmentation("trivial"), colours)])
    assert 3 / 14 - TOLERANCE < black < 5 / 14 + TOLERANCE  # turned, sheared, moved


def test_rand_applies_two_operations():
    _, operations = load_augmentation("rand")
    assert (operations.n, operations.replace) == (2, True)
    assert {operation.p for operation in operations.transforms[1:]} == {1}


def test_error_about_an_unknown_preset_lists_the_presets():
    with pytest.raises(ValueError, match=r"no augmentation 'lite': expected one of glyphs, light,"):
        load_augmentation("lite")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- class_path: albumentations.Flop", r"own.yaml, entry 1, .*Flop: .*no attribute 'Flop'"),
        (
            "- albumentations.HorizontalFlip\n- class_path: albumentations.Rotate\n"
            "  init_args: {limt: 5}",
            r"own.yaml, entry 2, albumentations.Rotate: .*'limt' is not accepted",
        ),
        (
            "- class_path: albumentations.Rotate\n  init_args: {p: 3}",
            r"entry 1, albumentations.Rotate: .*p\n.*less than or equal to 1",
        ),
        ("- 3", r"own.yaml, entry 1: 3 is not a transform; expected one like `- class_path"),
        ("light: 1", r"own.yaml holds a dict; expected a list of entries like"),
        ("", r"own.yaml holds nothing; expected a list"),
        ("- [", r"own.yaml is not valid YAML: .*line 1"),
    ],
)
def test_error_in_a_users_file_is_named_with_its_entry(tmp_path, text, message):
    (tmp_path / "own.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"(?s){message}"):
        load_augmentation(str(tmp_path / "own.yaml"))


def test_users_file_is_applied(tmp_path, colours):
    (tmp_path / "own.yml").write_text(
        "- class_path: albumentations.VerticalFlip\n  init_args: {p: 1}"
    )
    augmentation = Augmentation(str(tmp_path / "own.yml"))
    np.testing.assert_array_equal(augmentation(colours, 0), colours[::-1])
