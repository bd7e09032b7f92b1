"""Files that become unreadable do not end a training."""

import pytest
import torch
from lightning.pytorch import Callback

from callbacks import UnreadableMonitor
from datamodules import ImageFolderDataModule, Options, SplitSettings


@pytest.fixture
def data(tmp_path, write_image):
    for split in ("train", "val"):
        for label, name in enumerate(("cat", "dog")):
            for index in range(8):
                file = tmp_path / split / name / f"{index}.png"
                write_image(file, color=(200 * label, index, 0))
    split = SplitSettings(test=0)
    return ImageFolderDataModule(tmp_path, image_size=16, batch_size=4, num_workers=0, split=split)


class Delete(Callback):
    """Deletes files after the first epoch."""

    def __init__(self, *files):
        self.files = files

    def on_train_epoch_start(self, trainer, pl_module):
        if trainer.current_epoch == 1:
            for file in self.files:
                file.unlink()


class Counts(Callback):
    """Records what is logged, and how many images are validated."""

    def __init__(self):
        self.unreadable, self.validated = [], []

    def on_train_epoch_end(self, trainer, pl_module):
        self.unreadable.append(trainer.callback_metrics.get("data/unreadable"))
        self.validated.append(int(pl_module.counts.images))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_files_that_disappear_are_skipped_and_counted(
    data, make_classifier, make_trainer, num_workers
):
    data.num_workers = num_workers
    files = [data.root / "train/cat/3.png", *(data.root / f"val/cat/{i}.png" for i in range(5))]
    counts = Counts()
    trainer = make_trainer(max_epochs=3, callbacks=[Delete(*files), UnreadableMonitor(), counts])
    with pytest.warns(UserWarning, match=r"6 images can no longer be read .*train/cat/3\.png, val"):
        trainer.fit(make_classifier(num_classes=2, num_channels=3), data)
    assert counts.unreadable == [None, 6, 6]
    assert counts.validated == [16, 11, 11]  # a whole batch of four is missing
    assert torch.isfinite(trainer.callback_metrics["val/loss"])


def test_losing_all_files_is_an_error_that_names_one(data, make_classifier, make_trainer):
    files = [data.root / "train" / name / f"{i}.png" for name in ("cat", "dog") for i in range(8)]
    trainer = make_trainer(max_epochs=3, callbacks=[Delete(*files)])
    with pytest.raises(ValueError, match=r"20 images in a row: There is no image file .*\.png"):
        trainer.fit(make_classifier(num_classes=2, num_channels=3), data)


def test_unreadable_files_are_listed_before_the_first_step(data, make_classifier, make_trainer):
    for split in ("train", "val"):
        (data.root / split / "cat" / "1.png").write_bytes(b"no picture")
    trainer = make_trainer(max_epochs=1)
    with pytest.raises(ValueError, match=r"(?s)2 of 32 images cannot be read:.*on_error skip"):
        trainer.fit(make_classifier(num_classes=2, num_channels=3), data)
    assert trainer.global_step == 0


def test_unreadable_files_can_be_skipped(data, make_classifier, make_trainer):
    (data.root / "train" / "cat" / "1.png").write_bytes(b"no picture")
    data.options = Options(on_error="skip")
    with pytest.warns(UserWarning, match=r"1 of 32 images cannot be read"):
        make_trainer(max_epochs=1).fit(make_classifier(num_classes=2, num_channels=3), data)
    assert data.class_counts == [7, 8]
