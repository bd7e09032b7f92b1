"""Fits repeat bit for bit, with any number of workers and wherever they were interrupted."""

import albumentations as A
import pytest
import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from datamodules import Options, SyntheticDataModule
from lightning_app.store.checkpoint_io import AtomicCheckpointIO
from models import Head, ImageClassifier, SmallCNN

AUGMENTATION = [A.GaussNoise(std_range=(0.1, 0.3), p=0.7), A.HorizontalFlip(p=0.5)]
EPOCHS = 3


class StopAt(Callback):
    """Interrupts a fit, as Ctrl-C would, at a batch of an epoch."""

    def __init__(self, epoch, batch):
        self.place = (epoch, batch)

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == self.place:
            raise InterruptedError


class DrawRandomNumbers(Callback):
    """Draws random numbers after each validation, as a picture might."""

    def on_validation_end(self, trainer, module):
        torch.rand(7)


def weights_after_fit(folder, num_workers=0, ckpt_path=None, callbacks=(), max_epochs=EPOCHS):
    """Train with dropout, augmentation and mixed images; return the weights."""
    seed_everything(0, verbose=False)
    model = ImageClassifier(
        SmallCNN(8, num_channels=1),
        num_classes=4,
        head=lambda features, classes: Head(features, classes, dropout=0.3),
        optimizer=lambda groups: torch.optim.AdamW(groups, lr=3e-3),
        lr_scheduler=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, EPOCHS),
    )
    data = SyntheticDataModule(
        num_images=80,
        batch_size=8,
        num_workers=num_workers,
        augmentation=AUGMENTATION,
        options=Options(mixup=0.4, cutmix=1.0, sampling="sqrt"),
    )
    last = ModelCheckpoint(
        folder,
        "last",
        save_on_train_epoch_end=True,
        save_on_exception=True,
        enable_version_counter=False,
    )
    trainer = Trainer(
        max_epochs=max_epochs,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        plugins=[AtomicCheckpointIO()],
        callbacks=[last, *callbacks],
    )
    trainer.fit(model, data, ckpt_path=ckpt_path)
    return model.state_dict()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The weights after a fit that was not interrupted."""
    return weights_after_fit(tmp_path_factory.mktemp("uninterrupted"))


def equal(first, second):
    return all(first[name].equal(second[name]) for name in first)


def test_workers_do_not_change_the_weights(uninterrupted, tmp_path):
    assert equal(uninterrupted, weights_after_fit(tmp_path, num_workers=2))


def test_random_numbers_drawn_by_pictures_do_not_change_the_weights(uninterrupted, tmp_path):
    assert equal(uninterrupted, weights_after_fit(tmp_path, callbacks=[DrawRandomNumbers()]))


def test_fit_stopped_after_an_epoch_and_resumed_equals_an_uninterrupted_one(
    uninterrupted, tmp_path
):
    stopped = weights_after_fit(tmp_path, max_epochs=1)
    assert not equal(uninterrupted, stopped)
    assert equal(uninterrupted, weights_after_fit(tmp_path, ckpt_path=tmp_path / "last.ckpt"))


@pytest.mark.parametrize(
    ("epoch", "batch", "num_workers"), [(0, 0, 0), (1, 3, 0), (2, 5, 0), (1, 2, 2)]
)
def test_fit_interrupted_in_an_epoch_and_resumed_equals_an_uninterrupted_one(
    uninterrupted, tmp_path, epoch, batch, num_workers
):
    with pytest.raises(InterruptedError):
        weights_after_fit(tmp_path, num_workers, callbacks=[StopAt(epoch, batch)])
    resumed = weights_after_fit(tmp_path, num_workers, ckpt_path=tmp_path / "last.ckpt")
    assert equal(uninterrupted, resumed)
