import albumentations as A
import numpy as np
import pytest
import torch

from datamodules import DigitsDataModule, Options, SplitSettings, SyntheticDataModule

NOISE = [A.GaussNoise(std_range=(0.2, 0.4), p=1.0), A.HorizontalFlip(p=0.5)]


def batches(num_workers=0, augmentation=None):
    data = SyntheticDataModule(
        num_images=40, batch_size=8, num_workers=num_workers, augmentation=augmentation
    )
    return [(images, indices) for images, _, indices in data.train_dataloader()]


def test_batches_are_uint8_until_they_are_on_the_device(synthetic):
    images, labels, indices = next(iter(synthetic.train_dataloader()))
    assert images.dtype == torch.uint8
    assert images.shape == (16, 1, 32, 32)
    ready, *_ = synthetic.on_after_batch_transfer([images, labels, indices], 0)
    torch.testing.assert_close(ready, images / 255)


def test_index_is_that_of_the_source(synthetic):
    _, labels, indices = next(iter(synthetic.val_dataloader()))
    assert synthetic.sources["val"].labels[indices].tolist() == labels.tolist()


def test_splits_share_no_image(synthetic):
    names = [set(source.names) for source in synthetic.sources.values()]
    assert sum(map(len, names)) == len(set.union(*names)) == 80


def test_class_counts_are_of_training_images(synthetic):
    assert synthetic.class_counts == np.bincount(synthetic.sources["train"].labels).tolist()
    assert sum(synthetic.class_counts) < 80


def test_sample_is_spread_over_the_classes_and_the_same_at_every_call(synthetic):
    images, labels = synthetic.sample(8)
    assert labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert synthetic.sample(8)[0].equal(images)
    assert images.amax() <= 1


def test_batches_do_not_depend_on_the_number_of_workers():
    torch.manual_seed(1)
    alone = batches(0, NOISE)
    torch.manual_seed(2)
    shared = batches(2, NOISE)
    assert all(a.equal(b) and i.equal(j) for (a, i), (b, j) in zip(alone, shared, strict=True))


def test_no_two_images_are_augmented_alike():
    data = SyntheticDataModule(num_images=40, augmentation=NOISE[:1])
    images, draws, _ = data.augmented(2, 2)
    noise = (draws - images[:, None]).flatten(0, 1)
    assert not any(noise[a].equal(noise[b]) for a in range(4) for b in range(a))


def test_only_training_images_are_augmented():
    plain = SyntheticDataModule(num_images=40)
    noisy = SyntheticDataModule(num_images=40, augmentation=NOISE)
    assert next(iter(plain.val_dataloader()))[0].equal(next(iter(noisy.val_dataloader()))[0])
    assert not batches()[0][0].equal(batches(0, NOISE)[0][0])


def test_digits_are_the_scans_of_scikit_learn():
    data = DigitsDataModule(image_size=8)
    images = np.concatenate([source.reader.images[source.rows] for source in data.sources.values()])
    assert len(images) == 1797
    # The class counts from the dataset's own description.
    counts = sum(np.bincount(source.labels) for source in data.sources.values())
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images.max() == 255


def test_split_seed_is_not_the_seed_of_the_run(monkeypatch):
    first = DigitsDataModule().sources["val"].names
    monkeypatch.setenv("PL_GLOBAL_SEED", "7")
    assert DigitsDataModule().sources["val"].names == first
    assert DigitsDataModule(split=SplitSettings(seed=1)).sources["val"].names != first


@pytest.mark.parametrize("batch_size", [16, 500])
def test_training_has_a_batch_even_if_it_is_incomplete(batch_size):
    data = SyntheticDataModule(num_images=80, batch_size=batch_size)
    assert len(data.train_dataloader()) == max(1, sum(data.class_counts) // batch_size)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "data.batch_size is 0; expected 1 or more"),
        ({"image_size": -5}, "data.image_size is -5; expected 1 or more"),
        ({"num_workers": -1}, "data.num_workers is -1; expected 0 or more"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        DigitsDataModule(**options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Options(mixup=-1), "options.mixup is -1; expected 0 to 100"),
        (lambda: Options(limit_per_class=0), "options.limit_per_class is 0; expected 1 or more"),
        (lambda: SplitSettings(val_per_class=-1), "split.val_per_class is -1; expected 1 or more"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_excluding_every_class_is_refused():
    data = SyntheticDataModule(
        options=Options(exclude_classes=["rows", "columns", "checks", "full"])
    )
    with pytest.raises(ValueError, match="exclude_classes leaves no class to train on"):
        _ = data.sources


def test_error_about_missing_test_images_names_the_option():
    data = DigitsDataModule(split=SplitSettings(test=0))
    with pytest.raises(ValueError, match=r"no test images: add some, or .*--data\.split\.test"):
        data.setup("test")


def test_augmentation_that_normalises_is_refused():
    data = SyntheticDataModule(num_channels=3, augmentation=[A.Normalize()])
    with pytest.raises(ValueError, match=r"uint8 images float32\. Leave out .* Normalize"):
        next(iter(data.train_dataloader()))
