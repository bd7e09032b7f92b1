import pytest
import torch
from lightning.pytorch.callbacks import Callback

from callbacks import DynamicsRecorder
from callbacks.saved_progress import correct_progress
from datamodules import Options, SyntheticDataModule
from models.evaluation.training_dynamics import PARTS


class Keep(Callback):
    """Writes a checkpoint after some steps, of which an epoch has three."""

    def __init__(self, steps):
        self.steps = steps

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        if trainer.global_step == self.steps and not trainer.is_last_batch:
            trainer.save_checkpoint("kept.ckpt")

    def on_train_epoch_end(self, trainer, module):
        if trainer.global_step == self.steps:
            trainer.save_checkpoint("kept.ckpt")

    def on_save_checkpoint(self, trainer, module, checkpoint):
        correct_progress(trainer, checkpoint)


def sums_of(recorder):
    return {name: getattr(recorder.sums, name) for name in PARTS}


@pytest.fixture
def fit(make_classifier, make_trainer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*callbacks, ckpt_path=None, **options):
        data = SyntheticDataModule(
            num_images=80, batch_size=16, num_workers=0, options=Options(**options)
        )
        recorder = DynamicsRecorder()
        trainer = make_trainer(max_epochs=2, callbacks=[recorder, *callbacks], limit_val_batches=0)
        trainer.fit(make_classifier(), data, ckpt_path=ckpt_path, weights_only=False)
        return recorder, trainer

    return run


def test_every_image_of_a_batch_counts_once(fit):
    recorder, trainer = fit()
    found = recorder.result(trainer)
    assert found.counts.sum() == 16 * trainer.global_step  # an incomplete batch is dropped
    assert found.counts.max() == 2
    sums = found.probabilities[found.counts > 0].sum(dim=1)
    assert torch.allclose(sums, torch.ones_like(sums))


@pytest.mark.parametrize("steps", [2, 3])
def test_a_resumed_fit_has_the_dynamics_of_one_that_is_not_interrupted(fit, steps):
    whole, trainer = fit(Keep(steps))
    resumed, again = fit(ckpt_path="kept.ckpt")
    assert again.global_step == trainer.global_step == 6
    for name, part in sums_of(whole).items():
        assert torch.equal(part, sums_of(resumed)[name])


def test_mixed_images_have_no_dynamics(fit):
    recorder, trainer = fit(mixup=0.4)
    assert recorder.result(trainer) is None
