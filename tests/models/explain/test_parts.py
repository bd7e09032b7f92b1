import pytest
import torch

from models.explain.parts import HOWS, OUTSIDE, PARTS, region, without_part


@pytest.fixture
def images():
    return torch.rand(6, 3, 32, 48, generator=torch.Generator().manual_seed(0))


def test_corners_border_and_centre_do_not_overlap():
    regions = torch.stack([region(part, 32, 48) for part in (*OUTSIDE, "centre")])
    assert regions.sum(dim=0).max() == 1
    assert regions.sum(dim=(1, 2)).tolist() == [2 * (2 * 24 + 3 * 16), *[8 * 12] * 4, 16 * 24]


def test_lower_right_corner_is_there():
    shown = region("lower right corner", 8, 8).nonzero()
    assert shown.tolist() == [[6, 6], [6, 7], [7, 6], [7, 7]]


@pytest.mark.parametrize("part", [*OUTSIDE, "centre"])
def test_only_the_region_changes_and_exchanged_it_is_that_of_another_image(images, part):
    inside = region(part, 32, 48)
    for how in HOWS:
        assert torch.equal(without_part(images, part, how)[..., ~inside], images[..., ~inside])
    exchanged = without_part(images, part, "exchanged")[..., inside]
    own = [[torch.equal(a, b) for b in images[..., inside]] for a in exchanged]
    assert all(sum(row) == 1 and not row[k] for k, row in enumerate(own))  # each from one other


def test_without_colour_the_brightness_stays(images):
    weights = torch.tensor([0.299, 0.587, 0.114])
    grey = without_part(images, "colour", "blurred")
    torch.testing.assert_close(grey[:, 0], torch.einsum("nchw,c->nhw", images, weights))
    assert torch.equal(grey[:, 0], grey[:, 2])


def test_without_high_frequencies_flat_images_stay_and_noise_goes(images):
    flat = torch.full((2, 1, 16, 16), 0.3)
    torch.testing.assert_close(without_part(flat, "high frequencies", "blurred"), flat)
    assert without_part(images, "high frequencies", "blurred").std() < images.std() / 5


@pytest.mark.parametrize("part", PARTS)
def test_values_stay_in_range_and_repeat(images, part):
    for how in HOWS:
        changed = without_part(images, part, how)
        assert changed.shape == images.shape
        assert changed.min() >= 0
        assert changed.max() <= 1
        assert torch.equal(changed, without_part(images, part, how))
