"""Fits whose backbone is frozen, on features that are computed once."""

import albumentations as A
import numpy as np
import pytest
import torch

from callbacks import FrozenFeatures, ProgressiveUnfreezing
from datamodules import Options, SyntheticDataModule
from models.features import weights_digest

NOISE = [A.GaussNoise(std_range=(0.2, 0.4), p=1.0)]


class Passes:
    """Counts the images that a backbone has seen, by mode."""

    def __init__(self, backbone):
        self.images = 0
        backbone.register_forward_pre_hook(self.count)

    def count(self, module, args):
        self.images += len(args[0])


@pytest.fixture
def fit(workplace, make_classifier, make_trainer):
    def run(*callbacks, boundary="head", epochs=2, augmentation=None, **options):
        data = SyntheticDataModule(
            num_images=80, batch_size=16, augmentation=augmentation, options=Options(**options)
        )
        model = make_classifier()
        passes = Passes(model.backbone)
        unfreezing = ProgressiveUnfreezing(train_from={0: boundary})
        trainer = make_trainer(
            max_epochs=epochs, callbacks=[unfreezing, *callbacks], num_sanity_val_steps=0
        )
        trainer.fit(model, data)
        return model, passes.images, data

    return run


def test_training_on_features_gives_the_weights_of_training_on_images(fit):
    with_images, _, _ = fit()
    with_features, images, data = fit(FrozenFeatures())
    assert images == len(data.sources["train"]) + len(data.sources["val"])  # each once
    for name, tensor in with_features.state_dict().items():
        torch.testing.assert_close(tensor, with_images.state_dict()[name], msg=name)


def test_second_fit_reads_the_features(fit):
    fit(FrozenFeatures())
    assert fit(FrozenFeatures())[1] == 0


def test_trained_backbone_gets_images(fit):
    _, images, data = fit(FrozenFeatures(), boundary="all", epochs=1)
    assert images == 48 + len(data.sources["val"])  # three batches of 16


def test_new_augmentation_in_each_epoch_needs_images(fit):
    _, images, data = fit(FrozenFeatures(), augmentation=NOISE)
    assert images == 2 * (48 + len(data.sources["val"]))


def test_views_are_computed_once_each(fit):
    model, images, data = fit(FrozenFeatures(), augmentation=NOISE, augmentation_views=3, epochs=4)
    assert images == 3 * len(data.sources["train"]) + len(data.sources["val"])
    with_images, _, _ = fit(augmentation=NOISE, augmentation_views=3, epochs=4)
    torch.testing.assert_close(model.head.state_dict(), with_images.head.state_dict())


def test_images_are_back_after_the_fit(fit):
    *_, data = fit(FrozenFeatures())
    assert next(iter(data.val_dataloader()))[0].dtype == torch.uint8


def test_other_pixels_and_other_weights_have_features_of_their_own(workplace, make_classifier):
    def mean(batches):
        for images, _, indices in batches:
            yield indices[1:], images.mean(dim=(1, 2, 3))[1:]  # as if one could not be read

    small, large = (SyntheticDataModule(num_images=20, image_size=size) for size in (16, 32))
    what = weights_digest(make_classifier().backbone)
    first = small.derived("val", what, mean)
    images = small.images("val", range(len(first)))
    np.testing.assert_allclose(first[1:], images.mean(dim=(1, 2, 3))[1:], rtol=1e-6)
    assert np.isnan(first[0])
    again = small.derived("val", what, lambda batches: pytest.fail("computed again"))
    np.testing.assert_array_equal(again, first)
    assert not np.array_equal(large.derived("val", what, mean)[1:], first[1:])

    def zeros(batches):
        yield torch.arange(1), torch.zeros(1, 2)

    other = small.derived("val", f"{what} changed", zeros)
    assert other.shape == (len(first), 2)
    assert other[0].tolist() == [0, 0]
