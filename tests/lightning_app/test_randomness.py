"""Runs repeat bit for bit: whatever the workers, wherever they were interrupted."""

import albumentations as A
import pytest
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from datamodules import Options, SyntheticDataModule
from lightning_app.store.checkpoint_io import AtomicCheckpointIO
from models import Head

AUGMENTATION = [A.GaussNoise(std_range=(0.1, 0.3), p=0.7), A.HorizontalFlip(p=0.5)]


class StopAt(Callback):
    """Interrupts a fit, as Ctrl-C would, at a batch of an epoch."""

    def __init__(self, epoch, batch):
        self.place = (epoch, batch)

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == self.place:
            raise InterruptedError


class DrawSomething(Callback):
    """Looks at the network, as a picture would, and draws random numbers doing so."""

    def on_validation_end(self, trainer, module):
        torch.rand(7)


@pytest.fixture
def fit(make_classifier, make_trainer, tmp_path):
    """Train with dropout and augmentation, and return the weights."""

    def run(num_workers=0, ckpt_path=None, callbacks=(), **options):
        model = make_classifier(
            head=lambda features, classes: Head(features, classes, dropout=0.3),
            lr_scheduler=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 6),
        )
        data = SyntheticDataModule(
            num_images=80,
            batch_size=8,
            num_workers=num_workers,
            augmentation=AUGMENTATION,
            options=Options(mixup=0.4, cutmix=1.0, sampling="sqrt"),
        )
        last = ModelCheckpoint(
            tmp_path,
            "last",
            save_on_train_epoch_end=True,
            save_on_exception=True,
            enable_version_counter=False,
        )
        trainer = make_trainer(
            **{"max_epochs": 6, "enable_checkpointing": True, "plugins": [AtomicCheckpointIO()]}
            | options,
            callbacks=[last, *callbacks],
        )
        trainer.fit(model, data, ckpt_path=ckpt_path)
        return model.state_dict()

    return run


def equal(first, second):
    return all(first[name].equal(second[name]) for name in first)


def test_workers_do_not_change_the_weights(fit):
    assert equal(fit(num_workers=0, max_epochs=2), fit(num_workers=2, max_epochs=2))


def test_looking_does_not_change_the_weights(fit):
    assert equal(fit(max_epochs=2), fit(max_epochs=2, callbacks=[DrawSomething()]))


def test_fit_stopped_after_an_epoch_and_resumed_equals_one_that_was_not(fit, tmp_path):
    whole = fit()
    fit(max_epochs=3)
    assert equal(whole, fit(ckpt_path=tmp_path / "last.ckpt"))


@pytest.mark.parametrize(("epoch", "batch"), [(0, 0), (2, 3), (3, 5)])
def test_fit_interrupted_in_an_epoch_and_resumed_equals_one_that_was_not(
    fit, tmp_path, epoch, batch
):
    whole = fit()
    with pytest.raises(InterruptedError):
        fit(callbacks=[StopAt(epoch, batch)])
    assert equal(whole, fit(ckpt_path=tmp_path / "last.ckpt"))


def test_resuming_with_workers_equals_without(fit, tmp_path):
    whole = fit()
    with pytest.raises(InterruptedError):
        fit(callbacks=[StopAt(4, 2)], num_workers=2)
    assert equal(whole, fit(ckpt_path=tmp_path / "last.ckpt", num_workers=2))
