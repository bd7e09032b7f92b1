"""Training options: a resumed fit equals an uninterrupted one with each of them."""

import pytest
import torch
import yaml
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, StochasticWeightAveraging
from torch.optim import lr_scheduler as torch_schedulers

from callbacks import Interruption, WeightAverage
from datamodules import Options, SyntheticDataModule
from lightning_app.main import main
from lightning_app.store.checkpoint_io import AtomicCheckpointIO
from models import CosineDecay, Head, ImageClassifier, Optimization

EPOCHS = 3
PER_STEP = Optimization(lr_interval="step")
SCHEDULES = {
    "cosine": (lambda o: torch_schedulers.CosineAnnealingLR(o, EPOCHS), Optimization()),
    "one cycle": (lambda o: torch_schedulers.OneCycleLR(o, 3e-3, total_steps=100), PER_STEP),
    "lambda": (lambda o: torch_schedulers.LambdaLR(o, lambda e: 0.7**e), Optimization()),
    "plateau": (
        lambda o: torch_schedulers.ReduceLROnPlateau(o, factor=0.5, patience=0, threshold=1.0),
        Optimization(),
    ),
    "own cosine, warm-up": (CosineDecay(0.01), Optimization(warmup_epochs=1.5)),
    "torch's cosine, warm-up": (
        lambda o: torch_schedulers.CosineAnnealingLR(o, EPOCHS),
        Optimization(warmup_epochs=1.5, stage_decay=0.7),
    ),
}


class StopAfter(Callback):
    """Ends a fit after an epoch, as `max_time` would."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_train_epoch_end(self, trainer, module):
        trainer.should_stop = trainer.current_epoch == self.epoch


class KeepEveryCheckpoint(ModelCheckpoint):
    """Writes epoch=0.ckpt, epoch=1.ckpt, …; a trainer refuses two equal plain ModelCheckpoints."""

    def __init__(self, folder):
        super().__init__(folder, "{epoch}", save_top_k=-1, save_on_train_epoch_end=True)


class InterruptValidation(Callback):
    """Ends a fit in the validation of its third epoch, as Ctrl-C would."""

    def on_validation_batch_end(self, trainer, module, outputs, batch, batch_idx, loader=0):
        if trainer.current_epoch == 2:
            raise InterruptedError


class InterruptStep(Callback):
    """Ends a fit in the second step of its second epoch, after its forward pass."""

    def on_before_backward(self, trainer, module, loss):
        if (trainer.current_epoch, trainer.fit_loop.epoch_loop.batch_idx) == (1, 1):
            raise InterruptedError


class Losses(Callback):
    """Keeps the loss of each validation and training epoch."""

    def __init__(self):
        self.values = []

    def on_train_epoch_end(self, trainer, module):
        losses = trainer.callback_metrics["val/loss"], module.train_sums.values.clone()
        self.values.append([losses[0].item(), *losses[1].tolist()])


@pytest.fixture
def fit(make_classifier, make_trainer, tmp_path):
    """Return a function that trains on mixed images with dropout, and returns the weights."""

    def run(*callbacks, ckpt_path=None, model_options=None, **options):
        model = make_classifier(
            head=lambda features, classes: Head(features, classes, dropout=0.3),
            **(model_options or {}),
        )
        data = SyntheticDataModule(
            num_images=60, batch_size=8, num_workers=0, options=Options(mixup=0.4)
        )
        last = ModelCheckpoint(
            tmp_path,
            "last",
            save_on_train_epoch_end=True,
            save_on_exception=True,
            enable_version_counter=False,
        )
        trainer = make_trainer(
            **{"max_epochs": EPOCHS, "enable_checkpointing": True, "num_sanity_val_steps": 0}
            | options,
            plugins=[AtomicCheckpointIO()],
            callbacks=[*callbacks, last],
        )
        trainer.fit(model, data, ckpt_path=ckpt_path)
        return model.state_dict()

    return run


@pytest.fixture
def last(tmp_path):
    return tmp_path / "last.ckpt"


def equal(first, second):
    return all(first[name].equal(second[name]) for name in first)


@pytest.mark.filterwarnings("ignore:.*callbacks used to create the checkpoint")
@pytest.mark.parametrize("name", SCHEDULES)
def test_resuming_after_any_epoch_continues_the_schedule(fit, tmp_path, name):
    make, optimization = SCHEDULES[name]
    options = {"model_options": {"lr_scheduler": make, "optimization": optimization}}
    whole = fit(KeepEveryCheckpoint(tmp_path), **options)
    for epoch in range(EPOCHS - 1):
        checkpoint = tmp_path / f"epoch={epoch}.ckpt"
        assert not equal(whole, torch.load(checkpoint, weights_only=True)["state_dict"])
        assert equal(whole, fit(ckpt_path=checkpoint, **options))


def test_resuming_a_stopped_fit_continues_the_average(fit, last):
    whole = fit(WeightAverage(0.9), accumulate_grad_batches=2)
    stopped = fit(WeightAverage(0.9), StopAfter(0), accumulate_grad_batches=2)
    assert not equal(whole, stopped)
    assert equal(whole, fit(WeightAverage(0.9), ckpt_path=last, accumulate_grad_batches=2))


def test_fit_interrupted_in_validation_keeps_weights_and_average_apart(fit, last):
    fit(WeightAverage(0.9))
    ended = torch.load(last, weights_only=True)
    with pytest.raises(InterruptedError):
        fit(WeightAverage(0.9), InterruptValidation())
    interrupted = torch.load(last, weights_only=True)
    for key in ("state_dict", "current_model_state"):
        assert equal(ended[key], interrupted[key])


def test_fit_interrupted_in_validation_validates_all_images_when_it_resumes(fit, last):
    losses = [Losses() for _ in range(3)]
    whole = fit(Interruption(), losses[0])
    with pytest.raises(InterruptedError):
        fit(Interruption(), losses[1], InterruptValidation())
    assert equal(whole, fit(Interruption(), losses[2], ckpt_path=last))
    assert losses[1].values + losses[2].values == losses[0].values


def test_error_within_a_step_leaves_the_checkpoint_before(fit, last):
    with pytest.raises(InterruptedError):
        fit(Interruption(), InterruptStep())
    progress = torch.load(last, weights_only=True)["loops"]["fit_loop"]
    epochs, batches = progress["epoch_progress"], progress["epoch_loop.batch_progress"]
    assert epochs["total"]["processed"] == 1
    assert batches["total"]["started"] == batches["total"]["processed"]


def test_stochastic_weight_averaging_changes_the_weights(fit):
    averaged = fit(StochasticWeightAveraging(1e-3, swa_epoch_start=1), max_epochs=2)
    assert not equal(fit(max_epochs=2), averaged)


def test_accumulated_gradients_of_mixed_images_resume_exactly(fit, last):
    options = {"accumulate_grad_batches": 2, "gradient_clip_val": 0.5}
    whole = fit(**options)
    assert not equal(whole, fit(StopAfter(0), **options))
    assert equal(whole, fit(ckpt_path=last, **options))


def test_gradients_are_clipped_to_the_norm_of_the_trainer(fit):
    norms = []

    class Norms(Callback):
        def on_before_zero_grad(self, trainer, module, optimizer):
            gradients = [p.grad for p in module.parameters() if p.grad is not None]
            if gradients:
                norms.append(torch.nn.utils.get_total_norm(gradients).item())

    fit(Norms(), max_epochs=1, gradient_clip_val=0.01)
    assert norms
    assert all(norm == pytest.approx(0.01, rel=1e-3) for norm in norms)


def test_checkpoint_of_a_compiled_network_fits_an_uncompiled_one(fit, last, make_classifier):
    few = {"max_epochs": 1, "limit_train_batches": 2, "limit_val_batches": 1}
    plain = fit(**few)
    compiled = fit(**few, model_options={"compile": "eager"})
    assert list(compiled) == list(plain)
    for name in plain:
        torch.testing.assert_close(compiled[name], plain[name], rtol=1e-4, atol=1e-5)
    head = {"head": lambda features, classes: Head(features, classes, dropout=0.3)}
    make_classifier(**head).load_state_dict(torch.load(last, weights_only=True)["state_dict"])


def test_options_of_a_configuration_reach_the_model_and_its_checkpoint(workplace):
    config = {
        "data": {"class_path": "SyntheticDataModule", "init_args": {"num_images": 60}},
        "model": {
            "class_path": "ImageClassifier",
            "init_args": {
                "backbone": {"class_path": "SmallCNN", "init_args": {"width": 4}},
                "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 1e-3}},
                "lr_scheduler": {"class_path": "CosineDecay", "init_args": {"final": 0.01}},
                "optimization": {"stage_decay": 0.8, "warmup_epochs": 0.5, "decay_all": True},
                "channels_last": True,
            },
        },
        "trainer": {
            "max_epochs": 1,
            "accelerator": "cpu",
            "enable_progress_bar": False,
            "limit_train_batches": 2,
            "callbacks": [{"class_path": "WeightAverage", "init_args": {"decay": 0.9}}],
        },
        "pictures": {"budget": 0},
        "report": False,
    }
    (workplace / "config.yaml").write_text(yaml.safe_dump(config))
    main(["fit", "--config", "config.yaml", "--data.num_workers", "0"])
    [file] = (workplace / "mlruns" / "checkpoints").glob("*/*/best.ckpt")
    model = ImageClassifier.load_from_checkpoint(file)
    assert model.optimization == Optimization(0.8, True, 0.5)
    assert model.make_lr_scheduler == CosineDecay(0.01)
    average = torch.load(file, weights_only=True)["state_dict"]
    assert equal(average, model.state_dict())


def test_learning_rate_that_torch_refuses_is_reported_with_its_setting(workplace, capsys):
    lines = ["data: SyntheticDataModule", "model:", "  class_path: ImageClassifier"]
    lines += ["  init_args:", "    backbone: SmallCNN", "    optimizer: torch.optim.AdamW"]
    lines += ["trainer: {max_epochs: 1}", "pictures: {budget: 0}", "report: false"]
    (workplace / "config.yaml").write_text("\n".join(lines))
    with pytest.raises(SystemExit, match="1"):
        main(["fit", "--config", "config.yaml", "--model.optimizer.lr=-1"])
    assert "error: model.init_args.optimizer: Invalid learning rate: -1" in capsys.readouterr().err
