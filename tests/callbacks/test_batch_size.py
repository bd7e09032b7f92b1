import pytest

from callbacks.batch_size import AutoBatchSize, largest_that_fits, useful_batch_size
from datamodules import SyntheticDataModule


@pytest.mark.parametrize(
    ("num_images", "image_size", "on_gpu", "expected"),
    [
        (50, 128, False, 16),
        (350, 128, False, 32),
        (100_000, 128, False, 32),
        (100_000, 32, False, 64),
        (350, 224, True, 32),
        (1300, 224, True, 128),
        (100_000, 224, True, 256),
    ],
)
def test_useful_batches_leave_ten_steps_in_an_epoch(num_images, image_size, on_gpu, expected):
    assert useful_batch_size(num_images, image_size, on_gpu) == expected


def test_batches_are_halved_until_a_step_fits():
    tried = []

    def fits(size):
        tried.append(size)
        return size <= 40

    assert largest_that_fits(256, fits) == 32
    assert tried == [256, 128, 64, 32]


def test_a_network_that_is_too_large_for_one_image_is_an_error():
    with pytest.raises(ValueError, match="Not even one image fits"):
        largest_that_fits(4, lambda size: False)


def test_auto_is_a_number_before_the_first_step(make_classifier, make_trainer):
    data, recorded = SyntheticDataModule(num_images=800, batch_size="auto"), []
    callback = AutoBatchSize(recorded.append)
    trainer = make_trainer(max_epochs=1, limit_train_batches=1, callbacks=[callback])
    trainer.fit(make_classifier(), data)
    assert recorded == [32]  # 512 training images of 32 pixels
    assert data.batch_size == 32
    assert trainer.train_dataloader.batch_size == 32


def test_a_number_stays(make_classifier, make_trainer, synthetic):
    recorded = []
    trainer = make_trainer(
        max_epochs=1, limit_train_batches=1, callbacks=[AutoBatchSize(recorded.append)]
    )
    trainer.fit(make_classifier(), synthetic)
    assert (recorded, synthetic.batch_size) == ([], 16)
