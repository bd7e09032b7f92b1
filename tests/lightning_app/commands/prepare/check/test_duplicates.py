import cv2
import numpy as np
import pytest

from lightning_app.commands.prepare.check import duplicates
from lightning_app.commands.prepare.check.clusters import clusters_of
from lightning_app.commands.prepare.check.duplicates import difference_hashes, near_pairs


def thumbnails(*images):
    return np.stack([cv2.resize(i, (32, 32), interpolation=cv2.INTER_AREA) for i in images])


def compressed(image):
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


CHANGES = {
    "compressed": compressed,
    "smaller": lambda image: cv2.resize(image, (80, 80), interpolation=cv2.INTER_AREA),
    "stretched": lambda image: cv2.resize(image, (300, 130)),
    "brighter": lambda image: (image * 1.15 + 15).clip(0, 255).astype(np.uint8),
    "darker": lambda image: (image * 0.6).astype(np.uint8),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_changed_copies_are_found(photograph, change):
    images = [photograph(seed, (128, 128)) for seed in range(20)]
    assert near_pairs(thumbnails(*images, change(images[7]))).tolist() == [[7, 20]]


def test_different_pictures_are_not_copies(photograph):
    assert len(near_pairs(thumbnails(*(photograph(seed) for seed in range(300))))) == 0


def test_noise_is_not_a_copy_of_other_noise():
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (100, 64, 64, 3), dtype=np.uint8)
    assert clusters_of([bytes([i]) for i in range(100)], thumbnails(*noise)) == []


def test_flat_dark_pictures_are_not_copies():
    random = np.random.default_rng(0)
    dark = [random.integers(0, 6, (64, 64, 3), dtype=np.uint8) for _ in range(20)]
    dark += [np.full((64, 64, 3), value, np.uint8) for value in range(5)]
    assert clusters_of([bytes([i]) for i in range(25)], thumbnails(*dark)) == []


def test_smooth_gradients_are_not_copies():
    """Skies have the same areas, but no details by which to recognise copies."""
    ramp = np.repeat(np.linspace(200, 90, 64)[:, None, None], 64, axis=1).repeat(3, axis=2)
    random = np.random.default_rng(0)
    skies = [(ramp + random.normal(0, 6, ramp.shape)).astype(np.uint8) for _ in range(10)]
    assert clusters_of([bytes([i]) for i in range(10)], thumbnails(*skies)) == []


def test_equal_pixels_are_a_cluster_even_if_flat():
    flat = thumbnails(*[np.zeros((40, 40, 3), np.uint8)] * 4)
    assert clusters_of([b"a", b"b", b"a", b"a"], flat) == [[0, 2, 3]]


def test_exact_and_near_copies_join_into_one_cluster(photograph):
    image, other = photograph(0), photograph(1)
    images = thumbnails(image, other, compressed(image), image, other)
    assert clusters_of([b"a", b"b", b"c", b"a", b"b"], images) == [[0, 2, 3], [1, 4]]


def test_hash_has_a_bit_for_each_step_that_gets_brighter():
    ramp = np.repeat(np.linspace(0, 255, 32)[None, :, None], 32, axis=0).repeat(3, axis=2)
    hashes = difference_hashes(np.stack([ramp, ramp[:, ::-1]]).astype(np.uint8))
    assert hashes.tolist() == [2**64 - 1, 0]


def test_hashes_that_differ_in_few_bits_are_candidates():
    """Seven different bits leave one of eight bands unchanged."""
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**64, 200, dtype=np.uint64)
    bits = sum(1 << (8 * band + 3) for band in range(7))
    near = hashes ^ np.uint64(bits)
    left, right = duplicates._candidates(np.concatenate([hashes, near]))
    assert set(range(200)) <= set(left[right == left + 200].tolist())


def test_without_images_there_are_no_copies():
    assert clusters_of([], np.empty((0, 32, 32, 3), np.uint8)) == []
