import math

import pytest
import torch
from torch import nn
from torchvision.transforms.functional import gaussian_blur

from models.explain.sanity_checks import (
    area,
    blurred,
    deletion_curve,
    insertion_curve,
    mean_color,
    random_maps,
    replacement_curve,
)

CLASSES = torch.tensor([0])


class OnePixel(nn.Module):
    """Class 0 scores ln 3 if the pixel in row 1, column 2 is white; class 1 always scores 0."""

    def forward(self, images):
        score = math.log(3) * images[:, 0, 1, 2]
        return torch.stack([score, torch.zeros_like(score)], dim=1)


@pytest.fixture
def image():
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 1, 2] = 1.0
    return image


def test_deleting_the_decisive_pixel_removes_the_class_at_the_first_step(image):
    curve = deletion_curve(OnePixel(), image, image[:, 0], CLASSES, torch.zeros_like(image), 16)
    torch.testing.assert_close(curve, torch.tensor([[0.75] + [0.5] * 16]))
    torch.testing.assert_close(area(curve), torch.tensor([0.5 + 0.25 / 2 / 16]))


def test_worst_order_keeps_the_class_until_the_end(image):
    curve = deletion_curve(OnePixel(), image, -image[:, 0], CLASSES, torch.zeros_like(image), 16)
    torch.testing.assert_close(curve, torch.tensor([[0.75] * 16 + [0.5]]))


def test_inserting_the_decisive_pixel_gives_the_class_at_the_first_step(image):
    curve = insertion_curve(OnePixel(), image, image[:, 0], CLASSES, torch.zeros_like(image), 4)
    torch.testing.assert_close(curve, torch.tensor([[0.5, 0.75, 0.75, 0.75, 0.75]]))
    torch.testing.assert_close(area(curve), torch.tensor([0.75 - 0.25 / 2 / 4]))


def test_curves_end_at_the_baseline_and_at_the_image(image):
    model, maps = OnePixel(), random_maps(image)
    deleted = deletion_curve(model, image, maps, CLASSES)
    inserted = insertion_curve(model, image, maps, CLASSES)
    ends = [model(x).softmax(dim=1)[0, 0] for x in (image, mean_color(image), blurred(image))]
    found = torch.stack([deleted[0, 0], deleted[0, -1], inserted[0, 0], inserted[0, -1]])
    torch.testing.assert_close(found, torch.stack([*ends, ends[0]]))


def test_area_under_a_straight_line_is_its_mean():
    torch.testing.assert_close(area(torch.linspace(1, 0.2, 21)[None]), torch.tensor([0.6]))


def test_each_step_replaces_equally_many_pixels_the_strongest_first():
    start, end = torch.zeros(1, 1, 5, 5), torch.ones(1, 1, 5, 5)
    maps = torch.arange(25.0).view(1, 5, 5)
    seen = []

    class Watch(nn.Module):
        def forward(self, images):
            seen.append(images[0].clone())
            return torch.zeros(1, 2)

    replacement_curve(Watch(), start, end, maps, CLASSES, num_steps=4)
    assert [int(image.sum()) for image in seen] == [0, 6, 12, 18, 25]
    assert seen[1].flatten().nonzero().flatten().tolist() == [19, 20, 21, 22, 23, 24]


def test_equal_pixels_are_replaced_in_the_same_random_order():
    start, end = torch.zeros(1, 1, 20, 20), torch.ones(1, 1, 20, 20)
    seen = []

    class Watch(nn.Module):
        def forward(self, images):
            seen.append(images[0, 0].clone())
            return torch.zeros(1, 2)

    for _ in range(2):
        replacement_curve(Watch(), start, end, torch.zeros(1, 20, 20), CLASSES, num_steps=2)
    assert (
        60 < seen[1][:10].sum() < 140
    )  # half of all pixels are replaced, about half of these above
    assert seen[1].equal(seen[4])


def test_blur_is_a_gaussian_of_an_eighth_of_the_side():
    images = torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    expected = gaussian_blur(images, [25, 33], [6.0, 8.0])  # torchvision names width first
    inside = (..., slice(16, -16), slice(12, -12))  # at the edges torchvision mirrors the image
    torch.testing.assert_close(blurred(images)[inside], expected[inside], atol=1e-5, rtol=0)


def test_blur_does_not_change_a_constant_image():
    plane = torch.full((1, 3, 9, 5), 0.3)
    torch.testing.assert_close(blurred(plane), plane)


def test_random_maps_repeat_and_do_not_use_the_global_generator():
    images, state = torch.zeros(2, 3, 4, 5), torch.get_rng_state()
    assert random_maps(images).equal(random_maps(images))
    assert not random_maps(images).equal(random_maps(images, seed=1))
    assert random_maps(images).shape == (2, 4, 5)
    assert torch.get_rng_state().equal(state)


def test_maps_of_another_size_are_refused(image):
    with pytest.raises(ValueError, match=r"each of the images \(1, 1, 4, 4\), got \(1, 2, 2\)"):
        deletion_curve(OnePixel(), image, torch.zeros(1, 2, 2), CLASSES)


def test_no_step_is_refused(image):
    with pytest.raises(ValueError, match="num_steps to be 1 or more, got 0"):
        deletion_curve(OnePixel(), image, image[:, 0], CLASSES, num_steps=0)
