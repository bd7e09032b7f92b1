import pytest
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from callbacks import BestMetricBar


class Shown(Callback):
    """Collects what the bar shows while an epoch trains, and its validations."""

    def __init__(self):
        self.best, self.losses = [], []

    def on_train_batch_end(self, trainer, module, *_):
        metrics = trainer.progress_bar_callback.get_metrics(trainer, module)
        self.best.append(metrics.get("best"))

    def on_validation_end(self, trainer, module):
        if not trainer.sanity_checking:
            self.losses.append(float(trainer.callback_metrics["val/loss"]))


def test_bar_shows_the_best_validation_so_far(make_classifier, make_trainer, synthetic, tmp_path):
    bar, shown = BestMetricBar(), Shown()
    best = ModelCheckpoint(tmp_path, monitor="val/loss", mode="min", save_on_train_epoch_end=True)
    trainer = make_trainer(
        max_epochs=3,
        callbacks=[bar, shown, best],
        enable_progress_bar=True,
        enable_checkpointing=True,
        limit_train_batches=1,
    )
    trainer.fit(make_classifier(), synthetic)
    first, second, third = shown.losses
    assert shown.best == [None, pytest.approx(first), pytest.approx(min(first, second))]
    assert bar.best == pytest.approx(min(first, second, third))


def test_without_a_checkpoint_there_is_no_best(make_classifier, make_trainer, synthetic):
    bar = BestMetricBar()
    trainer = make_trainer(
        max_epochs=1, callbacks=[bar], enable_progress_bar=True, limit_train_batches=1
    )
    trainer.fit(make_classifier(), synthetic)
    assert "best" not in bar.get_metrics(trainer, trainer.lightning_module)
