"""`--metric`: what chooses the best checkpoint."""

import pytest
import torch
from jsonargparse import Namespace

from lightning_app.cli.chosen_metric import follow_metric, metric_of_checkpoint


def settings_of(metric, monitor="val/accuracy", ckpt_path=None, callbacks=None):
    return Namespace(
        metric=metric,
        ckpt_path=ckpt_path,
        best_checkpoint=Namespace(monitor=monitor, mode="max"),
        trainer=Namespace(callbacks=callbacks),
    )


@pytest.mark.parametrize(("metric", "mode"), [("log_loss", "min"), ("auc", "max")])
def test_checkpoint_and_early_stopping_follow_the_metric_in_its_direction(metric, mode):
    options = Namespace(monitor="val/accuracy", mode="max")
    stopping = Namespace(class_path="lightning.pytorch.callbacks.EarlyStopping", init_args=options)
    settings = settings_of(metric, callbacks=[stopping])
    follow_metric(settings)
    for found in (settings.best_checkpoint, options):
        assert (found.monitor, found.mode) == (f"val/{metric}", mode)


def test_another_monitor_is_refused():
    with pytest.raises(ValueError, match=r"--metric is auc, but best_checkpoint\.monitor is val/x"):
        follow_metric(settings_of("auc", "val/x"))


def test_the_metric_of_a_checkpoint_is_kept(tmp_path):
    key = "ModelCheckpoint{'monitor': 'val/log_loss', 'mode': 'min', 'every_n_epochs': 1}"
    torch.save({"state_dict": {}, "callbacks": {"Other": {}, key: {}}}, tmp_path / "a.ckpt")
    torch.save({"state_dict": {}}, tmp_path / "b.ckpt")
    settings = settings_of(None, ckpt_path=str(tmp_path / "a.ckpt"))
    follow_metric(settings)
    assert (settings.metric, settings.best_checkpoint.mode) == ("log_loss", "min")
    assert metric_of_checkpoint(tmp_path / "b.ckpt") is None
