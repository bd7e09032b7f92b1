"""Learning curves of real fits."""

import pytest
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint

from callbacks import LearningCurvesVisualizer, ProgressiveUnfreezing
from lightning_app.store.run_logger import RunLogger


@pytest.fixture
def drawn(monkeypatch):
    """Arguments of the plot: histories, and epochs of unfreezing."""
    calls = []

    def plot(history, freed):
        calls.append((history, freed))
        return "figure"

    monkeypatch.setattr("callbacks.learning_curves.plot_curves", plot)
    monkeypatch.setattr("callbacks.learning_curves.log_figure", lambda *_: None)
    monkeypatch.setattr("callbacks.progressive_unfreezing.log_figure", lambda *_: None)
    return calls


@pytest.fixture
def fit(make_classifier, make_trainer, synthetic, workplace):
    def run(epochs, *callbacks, logger=None, ckpt_path=None, **options):
        logger = logger or RunLogger("curves")
        callbacks = [*callbacks, LearningCurvesVisualizer(**options.pop("curves", {}))]
        model = make_classifier()
        trainer = make_trainer(max_epochs=epochs, logger=logger, callbacks=callbacks, **options)
        trainer.fit(model, synthetic, ckpt_path=ckpt_path)
        return logger

    return run


def epochs_of(history):
    return {name: [epoch for epoch, _ in points] for name, points in history.items() if points}


def test_rates_are_in_order_from_input_to_output(drawn, fit):
    fit(2)
    [(history, freed)] = drawn
    rates = [name for name in history if name.startswith("lr/")]
    assert rates == ["lr/block1", "lr/block2", "lr/block3", "lr/head"]
    assert all(epochs == [0, 1] for epochs in epochs_of(history).values())
    assert freed == []  # everything trains all the time
    assert "val/f1_macro" not in history


def test_unfreezing_is_labelled_with_boundary_and_parameters(drawn, fit, make_classifier):
    fit(4, ProgressiveUnfreezing({0: "head", 2: "block3", 3: "all"}))
    [(_, freed)] = drawn
    model = make_classifier()
    head = sum(p.numel() for p in model.head.parameters())
    block = sum(p.numel() for p in model.backbone.blocks.block3.parameters())
    total = sum(p.numel() for p in model.parameters())
    expected = [(0, f"head: {head}"), (2, f"block3: {head + block:,}"), (3, f"all: {total:,}")]
    assert freed == expected


def test_rates_are_zero_while_a_stage_is_frozen_and_missing_if_it_always_is(drawn, fit):
    fit(3, ProgressiveUnfreezing({0: "head", 2: "block3"}))
    [(history, _)] = drawn
    trains = {name: [rate > 0 for _, rate in history[name]] for name in history if "lr/" in name}
    assert trains == {
        "lr/block3": [False, False, True],
        "lr/head": [True, True, True],
    }


def test_unfreezing_by_another_callback_is_labelled_with_parameters(drawn, fit):
    class Freeze(Callback):
        def on_train_epoch_start(self, trainer, pl_module):
            pl_module.backbone.requires_grad_(trainer.current_epoch > 0)

    fit(2, Freeze())
    [(_, [(first, few), (second, many)])] = drawn
    assert (first, second) == (0, 1)
    assert int(few.replace(",", "")) < int(many.replace(",", ""))


def test_curves_of_a_resumed_run_are_complete(drawn, fit, tmp_path):
    last = ModelCheckpoint(tmp_path, "last", save_on_train_epoch_end=True)
    unfreezing = ProgressiveUnfreezing({0: "head", 1: "all"})
    logger = fit(1, last, unfreezing, enable_checkpointing=True)
    again = RunLogger("curves")
    assert again.attach(logger.run_id)
    fit(3, unfreezing, logger=again, ckpt_path=tmp_path / "last.ckpt")
    history, freed = drawn[-1]
    assert epochs_of(history)["val/accuracy"] == [0, 1, 2]
    assert epochs_of(history)["lr/head"] == [0, 1, 2]
    assert [epoch for epoch, _ in freed] == [0, 1]


def test_run_without_validation_has_training_curves(drawn, fit):
    fit(1, limit_val_batches=0)
    [(history, _)] = drawn
    assert epochs_of(history)["train/loss"] == [0]
    assert not history["val/loss"]


def test_a_fit_that_fails_shows_the_epochs_so_far(drawn, fit):
    class Fail(Callback):
        def on_train_epoch_start(self, trainer, pl_module):
            if trainer.current_epoch == 1:
                raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        fit(3, Fail())
    [(history, _)] = drawn
    assert epochs_of(history)["val/accuracy"] == [0]


@pytest.mark.parametrize("command", ["fit", "predict"])
def test_failure_before_the_first_step_leaves_the_curves_unchanged(
    drawn, fit, make_classifier, make_trainer, synthetic, command
):
    class Fail(Callback):
        def setup(self, trainer, pl_module, stage):
            raise ValueError("no such file")

    again = RunLogger("curves")
    again.attach(fit(1).run_id)
    drawn.clear()
    callbacks = [Fail(), ProgressiveUnfreezing(), LearningCurvesVisualizer()]
    trainer = make_trainer(logger=again, callbacks=callbacks)
    with pytest.raises(ValueError, match="no such file"):
        getattr(trainer, command)(make_classifier(), datamodule=synthetic)
    assert not drawn


def test_macro_f1_is_an_option(drawn, fit):
    fit(1, curves={"macro_f1": True})
    assert epochs_of(drawn[0][0])["val/f1_macro"] == [0]


def test_figure_is_logged(fit, client):
    logger = fit(1)
    files = [file.path for file in client.list_artifacts(logger.run_id, "figures")]
    assert files == ["figures/learning_curves.png"]
