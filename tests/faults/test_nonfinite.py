"""What is not finite stops a fit or skips its step, and is never saved."""

import re

import pytest
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from torch import nn
from torch.nn.functional import cross_entropy

from callbacks import FiniteCheck, Interruption
from lightning_app.store import RunLogger
from models import SmallCNN

STEPS = 3  # of an epoch
BAD = 4  # step in the middle of the second epoch


class Fault(nn.Module):
    """Cross-entropy; at some steps the loss or its gradient is not a number."""

    def __init__(self, steps, loss=False, scale=1.0):
        super().__init__()
        self.steps, self.loss, self.scale, self.calls = steps, loss, scale, 0

    def forward(self, logits, labels):
        value = self.scale * cross_entropy(logits, labels)
        if not torch.is_grad_enabled():
            return value
        self.calls += 1
        if self.calls - 1 not in self.steps:
            return value
        # The square root has an infinite slope at 0.
        return value * float("nan") if self.loss else value + (0 * logits.sum()).sqrt()


class KeepBatches(Callback):
    """Keeps the names of the images of each step, and the network."""

    def __init__(self):
        self.names = []

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        source = trainer.datamodule.sources["train"]
        self.module = module
        self.names.append([source.names[index] for index in batch[2]])


class NoNumberInEvaluation(SmallCNN):
    """Features of the first image of an evaluated batch are not numbers."""

    def forward(self, images):
        features = super().forward(images)
        if not self.training:
            features[0] = float("nan")
        return features


@pytest.fixture
def fit(make_classifier, make_trainer, tmp_path, synthetic):
    """Function that fits with checks and a checkpoint after each epoch."""

    def run(fault, *callbacks, check=None, optimizer=None, backbone=None, **options):
        model_options = {"make_backbone": backbone} if backbone else {}
        if optimizer is not None:
            model_options["optimizer"] = optimizer
        model = make_classifier(loss=lambda _: fault, **model_options)
        last = ModelCheckpoint(
            tmp_path,
            "last",
            save_on_train_epoch_end=True,
            save_on_exception=True,
            enable_version_counter=False,
        )
        checks = [Interruption(), check or FiniteCheck(), *callbacks, last]
        trainer = make_trainer(
            **({"max_epochs": 3} | options), callbacks=checks, enable_checkpointing=True
        )
        trainer.fit(model, synthetic)
        return model, trainer

    return run


@pytest.fixture
def last(tmp_path):
    """Function that reads the last checkpoint, in which everything has to be finite."""

    def read():
        content = torch.load(tmp_path / "last.ckpt", weights_only=True)
        state = content["optimizer_states"][0]["state"].values()
        tensors = [*content["state_dict"].values(), *(t for each in state for t in each.values())]
        assert all(tensor.isfinite().all() for tensor in tensors)
        return content

    return read


def test_error_says_step_images_and_the_largest_norm(fit, last):
    keep = KeepBatches()
    with pytest.raises(ValueError, match="not finite") as error:
        fit(Fault([BAD]), keep)
    shown = ", ".join(map(re.escape, keep.names[BAD][:5]))
    assert re.search(
        rf"^A gradient is not finite \(the loss is [\d.]+\) in epoch 1, step {BAD}, with the "
        rf"images {shown}, … \(16; nonfinite/images_of_step_{BAD}\.txt of the run has all\)\. "
        r"The gradient is not finite in (\d+) of \1 parameters, the last of them head.\S+bias\. "
        r"In the step before, the largest norm was [\de.-]+, of \S+\. No checkpoint is saved since "
        r"then, and the last one is intact\. Try a lower learning rate, or "
        r"trainer\.gradient_clip_val: 1\.0, or --on_nonfinite skip\.$",
        str(error.value),
    )
    assert last()["global_step"] == STEPS


def test_loss_that_is_not_finite_changes_no_weight(fit, last):
    keep = KeepBatches()
    with pytest.raises(ValueError, match=rf"The loss is nan in epoch 1, step {BAD}, "):
        fit(Fault([BAD], loss=True), keep)
    assert all(parameter.isfinite().all() for parameter in keep.module.parameters())
    assert last()["global_step"] == STEPS


def test_device_that_is_read_late_still_saves_nothing(fit, last, monkeypatch, tmp_path):
    monkeypatch.setattr(FiniteCheck, "_is_due", lambda *_: False)  # as on a GPU
    with pytest.raises(ValueError, match=f"in epoch 1, step {BAD}, "):
        fit(Fault([BAD]), ModelCheckpoint(tmp_path, every_n_train_steps=1))
    assert last()["global_step"] == STEPS


def test_weights_that_overflow_are_not_saved(fit, tmp_path):
    with pytest.raises(ValueError, match=r"\S+ is not finite after step 0, although loss and grad"):
        fit(
            Fault([], scale=1000.0),
            limit_train_batches=1,
            limit_val_batches=0,
            optimizer=lambda groups: torch.optim.SGD(groups, lr=3e38),
        )
    assert not (tmp_path / "last.ckpt").exists()


def test_skipped_step_leaves_everything_as_it_was(fit):
    expected, _ = fit(Fault([]), max_epochs=1, limit_train_batches=STEPS - 1)
    with pytest.warns(UserWarning, match=r"The step is skipped, the 1\. so far\."):
        model, trainer = fit(Fault([STEPS - 1], loss=True), check=FiniteCheck("skip"), max_epochs=1)
    assert trainer.global_step == STEPS
    torch.testing.assert_close(model.state_dict(), expected.state_dict(), rtol=0, atol=0)
    assert trainer.callback_metrics["train/loss"].isfinite()
    states = (each.trainer.optimizers[0].state_dict()["state"] for each in (model, expected))
    torch.testing.assert_close(*states, rtol=0, atol=0)


def test_fit_does_not_skip_forever(fit, monkeypatch):
    monkeypatch.setattr("callbacks.finite_check.MAX_SKIPPED", 2)
    with (
        pytest.warns(UserWarning, match=r"the 2\. so far"),
        pytest.raises(ValueError, match=r"step 2, .* 2 steps before it were skipped"),
    ):
        fit(Fault(range(9)), check=FiniteCheck("skip"))


def test_validation_that_is_not_finite_is_named_and_tags_the_run(fit, client, last):
    logger = RunLogger("nonfinite")
    pattern = r"val/loss is nan in epoch 0, although .* The logits of [1-9]\d* images \(\d+_\d+_\d"
    with pytest.warns(UserWarning, match=pattern):
        fit(
            Fault([]),
            max_epochs=1,
            logger=logger,
            backbone=lambda: NoNumberInEvaluation(8, 1),
        )
    assert client.get_run(logger.run_id).data.tags["nonfinite"] == "validation of epoch 0"
    assert last()["global_step"] == STEPS
