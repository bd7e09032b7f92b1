from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.callbacks import EarlyStopping
from matplotlib.figure import Figure

from callbacks import OutputRecorder, PictureGallery, WeightAverage
from callbacks.pictures import (
    PICTURES,
    ActivationMaximisation,
    ClassActivation,
    Filters,
    LabelSuspects,
    Notice,
    Picture,
    SanityChecks,
    Shortcuts,
)
from callbacks.pictures.picture import is_due
from callbacks.trainer_parts import classifier_of
from lightning_app.store.run_logger import RunLogger
from models import Backbone
from models.explain import NothingToShow


@dataclass(eq=False)
class Recorder(Picture):
    """Records the contexts in which it is drawn."""

    name: ClassVar[str] = "recorder"
    splits: ClassVar[tuple[str, ...]] = ("val", "test")

    contexts: list = field(default_factory=list)

    def draw(self, context):
        assert not context.model.training
        torch.rand(3)  # must not change the random numbers of the training
        self.contexts.append(context)
        yield self.name, Figure(figsize=(1, 1))
        yield "number", 0.5
        if context.final:
            yield self.name, {"epoch": [context.title]}
            yield self.name, Notice("Look out.")


@dataclass(eq=False)
class Failing(Recorder):
    error: type[Exception] = KeyError

    def draw(self, context):
        self.contexts.append(context)
        raise self.error("out of paint")
        yield


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """A clock that advances by a second each time it is read; figures that are free to draw."""
    monkeypatch.setattr("callbacks.picture_budget.FIGURE_SECONDS", 0.0)
    seconds = count()
    monkeypatch.setattr(
        "callbacks.picture_gallery.time", SimpleNamespace(perf_counter=lambda: next(seconds))
    )


def gallery(*pictures, budget=1.0):
    recorder = OutputRecorder()
    return [recorder, PictureGallery(list(pictures), recorder, budget)]


def steps_of_images(client, logger):
    """Epochs of the images in the image grid of a run."""
    return sorted(
        int(file.path.split("+step+")[1].split("+")[0])
        for file in client.list_artifacts(logger.run_id, "images")
        if file.path.endswith(".png")
    )


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("doubling", [0, 1, 2, 4, 8, 16]),
        ("last", []),
        (5, [0, 5, 10, 15]),
        (1, list(range(20))),
    ],
)
def test_schedule(when, expected):
    due = [epoch for epoch in range(20) if is_due(when, range(epoch, epoch + 1))]
    assert due == expected


def test_epochs_without_validation_are_caught_up_with():
    assert is_due("doubling", range(3, 6))  # 4 is a power of two
    assert not is_due("doubling", range(5, 8))


@pytest.mark.parametrize(
    ("when", "titles"),
    [
        ("doubling", ["epoch 0", "epoch 1", "epoch 2", "epoch 4", "epoch 5"]),
        ("last", ["epoch 5"]),
        (3, ["epoch 0", "epoch 3", "epoch 5"]),
    ],
)
def test_a_fit_draws_at_the_scheduled_epochs_and_at_its_end(
    make_classifier, make_trainer, synthetic, when, titles
):
    recorder = Recorder(when=when)
    trainer = make_trainer(max_epochs=6, callbacks=gallery(recorder))
    trainer.fit(make_classifier(), synthetic)
    assert [context.title for context in recorder.contexts] == titles
    assert [context.final for context in recorder.contexts] == [False] * (len(titles) - 1) + [True]


def test_a_fit_that_stops_early_logs_its_last_epoch_once(
    make_classifier, make_trainer, synthetic, client
):
    logger, stopping = RunLogger("early"), EarlyStopping("val/loss", patience=1, min_delta=10)
    callbacks = [stopping, *gallery(Recorder(when=1))]
    trainer = make_trainer(max_epochs=9, logger=logger, callbacks=callbacks)
    trainer.fit(make_classifier(), synthetic)
    assert steps_of_images(client, logger) == [0, 1]


def test_validate_and_test_draw_once_with_the_outputs_for_their_images(
    make_classifier, make_trainer, synthetic
):
    recorder, model = Recorder(), make_classifier()
    trainer = make_trainer(callbacks=gallery(recorder))
    trainer.validate(model, synthetic, verbose=False)
    trainer.test(model, synthetic, verbose=False)
    assert [context.title for context in recorder.contexts] == ["validation", "test"]
    for context in recorder.contexts:
        source = synthetic.sources[context.split]
        assert context.predictions.indices.tolist() == list(range(len(source)))
        assert context.predictions.labels.tolist() == source.labels.tolist()
        images = context.read([3, 1])
        torch.testing.assert_close(model.eval()(images), context.predictions.logits[[3, 1]])
        features = model.backbone(context.read(range(len(source))))
        torch.testing.assert_close(context.outputs.features.values, features)


def test_number_of_kept_features_is_limited(make_classifier, make_trainer, synthetic, monkeypatch):
    monkeypatch.setattr("callbacks.output_recorder.MAX_FEATURES", 5)
    recorder = Recorder()
    model = make_classifier()
    make_trainer(callbacks=gallery(recorder)).validate(model, synthetic, verbose=False)
    [context] = recorder.contexts
    assert context.outputs.features.rows.tolist() == [0, 3, 6, 9]  # of 12
    features = model.eval().backbone(context.read([0, 3, 6, 9]))
    torch.testing.assert_close(context.outputs.features.values, features)


def test_drawing_changes_neither_weights_nor_modes_nor_hooks(
    make_classifier, make_trainer, synthetic
):
    def weights(*pictures):
        model = make_classifier()
        make_trainer(max_epochs=3, callbacks=gallery(*pictures)).fit(model, synthetic)
        assert not any(module._forward_hooks for module in model.modules())
        assert all(module.training for module in model.modules())
        return model.state_dict()

    plain, drawn = weights(), weights(ClassActivation(when=1), Filters(when=1), Recorder(when=1))
    assert all(plain[name].equal(drawn[name]) for name in plain)


def test_averaged_weights_are_drawn_and_do_not_change_the_training(
    make_classifier, make_trainer, synthetic
):
    seen = []

    @dataclass(eq=False)
    class Weights(Recorder):
        def draw(self, context):
            logits = context.model(context.read([0, 1, 2]))
            torch.testing.assert_close(logits, context.predictions.logits[:3], rtol=1e-4, atol=1e-4)
            seen.append(context.title)
            yield "one", 1.0

    def weights(*callbacks):
        model = make_classifier()
        make_trainer(max_epochs=3, callbacks=[*callbacks]).fit(model, synthetic)
        return model.state_dict()

    drawn = weights(WeightAverage(0.9), *gallery(Weights(when=1)))
    plain = weights(WeightAverage(0.9))
    assert seen == ["epoch 0", "epoch 1", "epoch 2"]
    assert all(plain[name].equal(drawn[name]) for name in plain)


def test_pictures_beyond_the_budget_are_skipped_with_a_message(
    make_classifier, make_trainer, synthetic, messages, monkeypatch
):
    monkeypatch.setattr("callbacks.picture_budget.FIGURE_SECONDS", 1.0)
    cheap = Recorder(when=1)
    trainer = make_trainer(max_epochs=6, callbacks=gallery(cheap, budget=1e-9))
    trainer.fit(make_classifier(), synthetic)
    assert [context.title for context in cheap.contexts] == ["epoch 0", "epoch 5"]
    assert (
        "Pictures may take 1e-07% of the work of training (pictures.budget), so some"
        in messages.text
    )
    last = [text for text in messages.messages if text.startswith("Pictures   ")][-1]
    assert "1.0 s while training (some skipped, budget 1e-07 %), " in last


def test_the_same_pictures_are_drawn_however_busy_the_machine_is(
    make_classifier, make_trainer, synthetic, monkeypatch
):
    def drawn(seconds):
        clock = count(step=seconds)
        now = SimpleNamespace(perf_counter=lambda: next(clock))
        monkeypatch.setattr("callbacks.picture_gallery.time", now)
        picture = Recorder(when=1)
        trainer = make_trainer(max_epochs=8, callbacks=gallery(picture))
        trainer.fit(make_classifier(), synthetic)
        return [context.title for context in picture.contexts]

    monkeypatch.setattr("callbacks.picture_budget.FIGURE_SECONDS", 0.03)
    idle = drawn(1e-9)
    assert 2 < len(idle) < 8
    assert drawn(1e9) == idle


def test_figures_tables_numbers_and_drawing_time_are_logged(
    make_classifier, make_trainer, synthetic, client
):
    logger = RunLogger("shown")
    trainer = make_trainer(
        max_epochs=3, logger=logger, callbacks=gallery(Recorder(), Failing(when="last"))
    )
    with pytest.warns(UserWarning, match="No picture recorder: KeyError: 'out of paint'"):
        trainer.fit(make_classifier(), synthetic)
    assert steps_of_images(client, logger) == [0, 1, 2]
    metrics = client.get_run(logger.run_id).data.metrics
    assert metrics["val/number"] == 0.5
    assert metrics["time/pictures"] == 4  # one picture after epochs 0 and 1, and two at the end
    experiment = client.get_experiment_by_name("shown").experiment_id
    table = client.load_table(experiment, "tables/recorder_val.json", [logger.run_id])
    assert table.epoch.tolist() == ["epoch 2"]
    assert client.get_run(logger.run_id).data.tags["mlflow.note.content"] == "Look out."


def test_pictures_drawn_once_are_logged_as_figures(
    make_classifier, make_trainer, synthetic, client
):
    logger = RunLogger("once")
    callbacks = gallery(Recorder(when="last"))
    make_trainer(max_epochs=1, logger=logger, callbacks=callbacks).fit(make_classifier(), synthetic)
    files = [file.path for file in client.list_artifacts(logger.run_id, "figures")]
    assert files == ["figures/val_recorder.png"]


def test_a_picture_that_fails_is_an_error_in_validate(make_classifier, make_trainer, synthetic):
    with pytest.raises(KeyError, match="out of paint"):
        make_trainer(callbacks=gallery(Failing())).validate(make_classifier(), synthetic)


def test_nothing_to_show_is_reported_once(make_classifier, make_trainer, synthetic):
    picture = Failing(when=1, error=NothingToShow)
    trainer = make_trainer(max_epochs=3, callbacks=gallery(picture))
    with pytest.warns(UserWarning, match="No picture recorder: out of paint") as warnings:
        trainer.fit(make_classifier(), synthetic)
    assert len([w for w in warnings if "out of paint" in str(w.message)]) == 1
    assert len(picture.contexts) == 3


class Partial(Recorder):
    def draw(self, context):
        yield from super().draw(context)
        raise NothingToShow("the sky is missing from the picture recorder: out of paint.")


def test_picture_with_a_missing_part_is_not_said_to_be_missing(
    make_classifier, make_trainer, synthetic
):
    trainer = make_trainer(max_epochs=1, callbacks=gallery(Partial()))
    with pytest.warns(UserWarning, match=r"^the sky is missing from the picture recorder: out of"):
        trainer.fit(make_classifier(), synthetic)


class NoConvolution(Backbone):
    """A network without convolutions."""

    num_features = 8

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(32 * 32, 8)

    def forward(self, images):
        return self.layer(images.flatten(1))

    def stages(self):
        return {"layer": ["layer.weight", "layer.bias"]}


def test_network_without_possible_pictures_is_trained(make_classifier, make_trainer, synthetic):
    model = make_classifier(make_backbone=NoConvolution)
    trainer = make_trainer(max_epochs=1, callbacks=gallery(ClassActivation(), Filters()))
    with pytest.warns(UserWarning, match="No picture grad_cam: No layer of the network returns"):
        trainer.fit(model, synthetic)
    assert "val/accuracy" in trainer.callback_metrics


@pytest.mark.parametrize("name", PICTURES)
def test_error_of_a_schedule_names_the_setting(name):
    with pytest.raises(ValueError, match=rf"^pictures\.{name}\.when is 0; expected 1 or more\.$"):
        PICTURES[name](when=0)


@pytest.mark.parametrize("budget", [-1, 1.5])
def test_budget_out_of_range_is_refused(budget):
    with pytest.raises(ValueError, match=r"pictures\.budget is .*; expected a number from 0"):
        gallery(budget=budget)


def test_other_modules_are_refused():
    with pytest.raises(TypeError, match="Expected an ImageClassifier, got LightningModule"):
        classifier_of(LightningModule())


@dataclass(eq=False)
class Saving(Recorder):
    """Writes a file, since the memory of a process ends with it."""

    folder: object = None

    def draw(self, context):
        file = self.folder / f"{context.title}.pt"
        assert not file.exists()  # one process draws, once
        found, features = context.predictions, context.outputs.features
        torch.save([found.logits, found.labels, found.indices, features.values], file)
        yield "one", 1.0


def test_two_processes_draw_once_with_the_outputs_of_both(
    make_classifier, make_trainer, synthetic, tmp_path
):
    model = make_classifier()
    callbacks = gallery(Saving(when=1, folder=tmp_path))
    trainer = make_trainer(max_epochs=2, devices=2, strategy="ddp_fork", callbacks=callbacks)
    trainer.fit(model, synthetic)
    found, labelled, indices, sampled = torch.load(tmp_path / "epoch 1.pt")
    assert (tmp_path / "epoch 0.pt").exists()
    labels = torch.from_numpy(synthetic.sources["val"].labels)
    assert labelled.equal(labels)
    assert indices.tolist() == list(range(len(labels)))
    with torch.no_grad():
        features, logits = model.eval().features_and_logits(
            synthetic.images("val", range(len(labels)))
        )
    torch.testing.assert_close(found, logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(sampled, features, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true"])
def test_pictures_are_drawn_in_the_precision_of_the_fit(
    make_classifier, make_trainer, synthetic, precision, monkeypatch
):
    monkeypatch.setenv("LIGHTNING_CLI_DEBUG", "1")  # a picture that fails is an error
    dtypes = []

    @dataclass(eq=False)
    class Precision(Recorder):
        def draw(self, context):
            dtypes.append(context.model(context.sample(2)[0]).dtype)
            yield "one", 1.0

    pictures = [
        ActivationMaximisation(num_filters=2, steps=2),
        LabelSuspects(),
        SanityChecks(num_images=2, num_steps=2, num_stages=1),
        Shortcuts(num_images=8),
        Precision(when=1),
    ]
    trainer = make_trainer(callbacks=gallery(*pictures), max_epochs=1, precision=precision)
    trainer.fit(make_classifier(), synthetic)
    assert dtypes == [torch.bfloat16]


def test_costly_pictures_share_what_the_budget_leaves_at_the_end(
    make_classifier, make_trainer, synthetic, messages, monkeypatch
):
    monkeypatch.setattr("callbacks.picture_budget.END_SECONDS", 0.0)
    allowances = []

    @dataclass(eq=False)
    class Costly(Recorder):
        costly: ClassVar[bool] = True
        used: int = 0

        def draw(self, context):
            allowances.append(context.allowance.passes)
            for _ in range(context.allowance.affordable(10, 1, self.used)):
                context.model(context.sample(1)[0])
            yield "one", 1.0

    first, second = Costly(when="last", used=2), Costly(when="last", used=1)
    callbacks = gallery(first, Recorder(when="last"), second, budget=0.02)
    monkeypatch.setattr("callbacks.picture_budget.IMAGE_SECONDS", 0.0)
    make_trainer(callbacks=callbacks, max_epochs=1).fit(make_classifier(), synthetic)
    # Three passes for each training image; two passes of an image were used by the first picture.
    total = 0.02 * 3 * len(synthetic.sources["train"])
    assert allowances == pytest.approx([total / 2, total - 2])
    assert "smaller, to keep to the budget: recorder, recorder\n" in messages.text
    assert "`lightning_cli validate --ckpt_path last` draws them in full" in messages.text


@dataclass(eq=False)
class Least(Recorder):
    """Takes at least ten forward passes, and more if they are allowed."""

    costly: ClassVar[bool] = True

    @property
    def fewest_passes(self):
        return 10.0

    def draw(self, context):
        self.contexts.append(context)
        for _ in range(min(round(context.allowance.passes), 100)):
            context.model(context.sample(1)[0])
        yield "one", 1.0


@pytest.fixture
def passes_alone(monkeypatch):
    """Nothing but the passes of the network counts: three for each training image of an epoch."""
    for constant in ("IMAGE_SECONDS", "END_SECONDS", "SMALL_SECONDS"):
        monkeypatch.setattr(f"callbacks.picture_budget.{constant}", 0.0)


def test_pictures_whose_least_exceeds_the_budget_are_put_off_and_named(
    make_classifier, make_trainer, synthetic, messages, passes_alone
):
    synthetic.setup("fit")
    training = 3 * len(synthetic.sources["train"])
    pictures = [Least(when="last"), Recorder(when="last"), Least(when="last"), Least(when="last")]
    callbacks = gallery(*pictures, budget=26 / training)
    make_trainer(callbacks=callbacks, max_epochs=1).fit(make_classifier(), synthetic)
    assert [len(picture.contexts) for picture in pictures] == [1, 1, 1, 0]
    allowed = [pictures[0].contexts[0].allowance.passes, pictures[2].contexts[0].allowance.passes]
    assert allowed == pytest.approx([13, 13])  # the least of each, and half of what is left
    said = "not drawn, since the smallest version takes too much of the training: recorder"
    assert f"{said} ({100 * 10 / training:.2g} %)\n" in messages.text


def test_first_pictures_keep_to_the_budget_too(
    make_classifier, make_trainer, synthetic, passes_alone
):
    synthetic.setup("fit")
    training = 3 * 4 * len(synthetic.sources["train"])  # of four epochs

    def drawn(passes):
        picture = Least(when=1)
        callbacks = gallery(picture, budget=passes / training)
        make_trainer(callbacks=callbacks, max_epochs=4).fit(make_classifier(), synthetic)
        return [(c.title, round(c.allowance.passes)) for c in picture.contexts]

    assert drawn(19) == [("epoch 3", 19)]  # twice the least is more
    # Half of what is left beside the least of both is for the end. All epochs have the same number.
    assert drawn(24) == [("epoch 0", 12), ("epoch 3", 12)]
    assert drawn(40) == [("epoch 0", 20), ("epoch 3", 20)]
    assert drawn(120)[:2] == [("epoch 0", 60), ("epoch 3", 60)]


def test_first_pictures_of_a_small_network_are_drawn_in_any_fit(
    make_classifier, make_trainer, synthetic
):
    picture = Least(when=1)
    trainer = make_trainer(callbacks=gallery(picture, budget=1e-9), max_epochs=3)
    trainer.fit(make_classifier(), synthetic)
    assert [context.title for context in picture.contexts] == ["epoch 0", "epoch 2"]
