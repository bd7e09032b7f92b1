import pytest
import torch

from datamodules.augmentation.mixing import Mixing

IMAGES = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(6) % 3


def test_nothing_is_mixed_by_default():
    images, labels = Mixing(0, 0, 3)(IMAGES, LABELS, seed=0)
    assert images is IMAGES
    assert labels is LABELS


@pytest.mark.parametrize("seed", range(5))
def test_mixup_mixes_labels_in_the_proportion_of_the_images(seed):
    images, shares = Mixing(1.0, 0, 3)(IMAGES, LABELS, seed)
    other_images, other_labels = IMAGES.roll(1, 0), LABELS.roll(1)
    first = torch.nn.functional.one_hot(LABELS, 3)
    second = torch.nn.functional.one_hot(other_labels, 3)
    proportion = ((images - other_images) / (IMAGES - other_images)).median()
    torch.testing.assert_close(shares, proportion * first + (1 - proportion) * second)


@pytest.mark.parametrize("seed", range(5))
def test_cutmix_gives_labels_the_share_of_the_area(seed):
    images, shares = Mixing(0, 1.0, 3)(IMAGES, LABELS, seed)
    kept = (images == IMAGES).all(dim=1).float().mean(dim=(1, 2))
    torch.testing.assert_close(shares[torch.arange(6), LABELS], kept)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(6))


def test_mixture_depends_only_on_its_seed():
    mixing = Mixing(0.4, 1.0, 3)
    torch.manual_seed(1)
    first, _ = mixing(IMAGES, LABELS, seed=7)
    drawn = torch.rand(3)
    second, _ = mixing(IMAGES, LABELS, seed=7)
    assert first.equal(second)
    torch.manual_seed(1)
    assert torch.rand(3).equal(drawn)  # the global generator is not used
    assert not first.equal(mixing(IMAGES, LABELS, seed=8)[0])
