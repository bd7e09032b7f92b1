"""Progressive unfreezing in real fits."""

import gc
import weakref
from functools import partial

import pytest
import torch
from lightning.pytorch import Callback
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from torch.optim import lr_scheduler as schedulers

from callbacks import ProgressiveUnfreezing, WeightAverage
from datamodules import SyntheticDataModule
from lightning_app.store.checkpoint_io import AtomicCheckpointIO
from lightning_app.store.run_logger import RunLogger
from models import Head, TimmBackbone

SCHEDULE = {0: "head", 1: "block3", 3: "blocks.block2.norm.weight", 4: "all"}
HEAVY = partial(torch.optim.AdamW, lr=3e-3, weight_decay=0.5)
MOMENTUM = partial(torch.optim.SGD, lr=0.05, momentum=0.9, weight_decay=0.1)


class Snapshots(Callback):
    """Copies the weights and statistics after every epoch, and may disturb the training mode."""

    def __init__(self, disturbing):
        self.disturbing = disturbing
        self.states, self.num_states, self.trainable = [], [], []

    def on_train_start(self, trainer, pl_module):
        self._copy(trainer, pl_module)

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if self.disturbing:
            pl_module.train()  # as a careless callback would

    def on_train_epoch_end(self, trainer, pl_module):
        self._copy(trainer, pl_module)

    def _copy(self, trainer, pl_module):
        state = pl_module.state_dict()
        self.states.append({k: v.clone() for k, v in state.items() if v.ndim})
        self.trainable.append(sum(p.numel() for p in pl_module.parameters() if p.requires_grad))
        self.num_states.append(len(trainer.optimizers[0].state))


def data(**options):
    return SyntheticDataModule(num_images=80, **{"batch_size": 8, **options})


def fit(make_classifier, make_trainer, schedule, epochs=5, optimizer=HEAVY, **options):
    snapshots = Snapshots(options.pop("disturbing", False))
    model = make_classifier(optimizer=optimizer, compile=options.pop("compile", False))
    unfreezing = ProgressiveUnfreezing(schedule)
    callbacks = [unfreezing, snapshots, *options.pop("callbacks", [])]
    trainer = make_trainer(max_epochs=epochs, callbacks=callbacks, **options)
    trainer.fit(model, data())
    return model, snapshots


def moved(before, after):
    return {name for name in before if not before[name].equal(after[name])}


def test_statistics_are_kept_while_everything_trains(make_classifier, make_trainer):
    snapshots, model = Snapshots(disturbing=True), make_classifier(optimizer=HEAVY)
    unfreezing = ProgressiveUnfreezing({0: "all"}, keep_statistics=True)
    make_trainer(max_epochs=2, callbacks=[unfreezing, snapshots]).fit(model, data())
    names = moved(snapshots.states[0], snapshots.states[-1])
    assert {name for name in names if "running" in name} == set()
    assert {"backbone.blocks.block1.norm.weight", "head.layers.1.weight"} <= names


@pytest.mark.parametrize("optimizer", [HEAVY, MOMENTUM])
@pytest.mark.parametrize(
    "options",
    [{}, {"disturbing": True}, {"val_check_interval": 2}, {"accumulate_grad_batches": 2}],
)
def test_frozen_parameters_do_not_change_by_one_bit_and_others_do(
    make_classifier, make_trainer, optimizer, options
):
    """Neither parameters nor statistics of batch norms change, whatever happens in between."""
    _, snapshots = fit(make_classifier, make_trainer, SCHEDULE, optimizer=optimizer, **options)
    expected = [["head"], ["block3", "head"], ["block3", "head"], None, ["block", "head"]]
    for epoch, free in enumerate(expected):
        names = moved(*snapshots.states[epoch : epoch + 2])
        if free is None:  # from the norm of the second block on, its convolution is frozen
            assert "backbone.blocks.block2.norm.running_mean" in names
            assert "backbone.blocks.block2.conv.weight" not in names
            continue
        everything = {n for n in snapshots.states[0] if "normalize" not in n}
        assert names == {name for name in everything if any(part in name for part in free)}


def test_optimizer_has_no_state_for_newly_unfrozen_stages(make_classifier, make_trainer):
    _, snapshots = fit(make_classifier, make_trainer, SCHEDULE)
    assert snapshots.num_states == [0, 2, 5, 5, 7, 11]  # one per parameter that has been trained


def test_stages_that_are_frozen_again_do_not_change(make_classifier, make_trainer):
    _, snapshots = fit(make_classifier, make_trainer, {0: "all", 2: "head"}, 4, MOMENTUM)
    assert len(moved(*snapshots.states[1:3])) > 10
    assert all("head" in name for name in moved(*snapshots.states[3:5]))


def test_parameter_groups_keep_their_names_and_get_their_rates(make_classifier, make_trainer):
    rates = []

    class Rates(Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            groups = trainer.optimizers[0].param_groups
            rates.append({g["name"]: g["lr"] for g in groups if "/" not in g["name"]})

    unfreezing = ProgressiveUnfreezing(SCHEDULE, {0: 1e-3, 2: 5e-4}, stage_decay=0.5)
    trainer = make_trainer(max_epochs=3, callbacks=[unfreezing, Rates()])
    trainer.fit(make_classifier(), data())
    assert rates[0] == {"block1": 1.25e-4, "block2": 2.5e-4, "block3": 5e-4, "head": 1e-3}
    assert rates[2] == {name: rate / 2 for name, rate in rates[0].items()}


def test_auto_walks_the_stages_from_the_output_to_the_input(make_classifier, make_trainer):
    _, snapshots = fit(make_classifier, make_trainer, "auto", 4)
    names = ["head", "block3", "block2", "block1"]
    for epoch, newest in enumerate(names):
        new = moved(*snapshots.states[epoch : epoch + 2])
        assert any(newest in name for name in new)
        assert not any(later in name for later in names[epoch + 1 :] for name in new)


def test_a_frozen_backbone_gets_no_gradient_and_keeps_no_graph(make_classifier, make_trainer):
    graphs = []

    class Graph(Callback):
        def on_before_backward(self, trainer, pl_module, loss):
            graphs.append(pl_module.backbone(torch.rand(2, 1, 32, 32)).requires_grad)

    model, _ = fit(make_classifier, make_trainer, {0: "head"}, 1, callbacks=[Graph()])
    assert not any(graphs)  # no activation is kept
    assert all(parameter.grad is None for parameter in model.backbone.parameters())


RESUMED = {
    "Cosine": lambda o: schedulers.CosineAnnealingLR(o, 5),
    "OneCycle": lambda o: schedulers.OneCycleLR(o, [0.01, 0.02, 0.03, 0.04] * 2, 6),
    "LambdaLR": lambda o: schedulers.LambdaLR(o, lambda epoch: 0.9**epoch),
    "Plateau": lambda o: schedulers.ReduceLROnPlateau(o, patience=0, threshold=1.0),
    "warm-up": lambda o: schedulers.SequentialLR(
        o, [schedulers.LinearLR(o, 0.1, total_iters=2), schedulers.CosineAnnealingLR(o, 3)], [2]
    ),
}


@pytest.mark.parametrize("name", RESUMED)
def test_resuming_after_any_epoch_gives_the_same_weights(
    make_classifier, make_trainer, tmp_path, name
):
    def run(ckpt_path=None):
        model = make_classifier(optimizer=MOMENTUM)
        groups = len(model.parameter_groups())
        scheduler = RESUMED[name]
        if name == "OneCycle":
            rates = [0.01 + 0.01 * index for index in range(groups)]
            scheduler = partial(schedulers.OneCycleLR, max_lr=rates, total_steps=6)
        model.make_lr_scheduler = scheduler
        every = ModelCheckpoint(tmp_path, "{epoch}", save_top_k=-1, save_on_train_epoch_end=True)
        trainer = make_trainer(
            max_epochs=5,
            enable_checkpointing=True,
            plugins=[AtomicCheckpointIO()],
            callbacks=[ProgressiveUnfreezing(SCHEDULE), every],
        )
        trainer.fit(model, data(), ckpt_path=ckpt_path)
        return model.state_dict()

    whole = run()
    for file in [tmp_path / f"epoch={epoch}.ckpt" for epoch in range(4)]:
        resumed = run(file)
        assert [key for key in whole if not whole[key].equal(resumed[key])] == []


def test_resuming_in_the_middle_of_an_epoch_trains_what_this_epoch_trains(
    make_classifier, make_trainer, tmp_path
):
    def run(ckpt_path=None):
        model = make_classifier(optimizer=MOMENTUM)
        middle = ModelCheckpoint(tmp_path, "{step}", save_top_k=-1, every_n_train_steps=20)
        trainer = make_trainer(
            max_epochs=4,
            enable_checkpointing=True,
            plugins=[AtomicCheckpointIO()],
            callbacks=[ProgressiveUnfreezing(SCHEDULE), middle],
        )
        trainer.fit(model, data(), ckpt_path=ckpt_path)
        return model.state_dict()

    whole, resumed = run(), run(tmp_path / "step=20.ckpt")  # of 6 steps in each epoch
    assert [key for key in whole if not whole[key].equal(resumed[key])] == []


class Wrappers(Callback):
    """Ends a fit whose earlier DDP wrappers, with their copies of all gradients, are not freed."""

    def __init__(self):
        self.references = []

    def on_train_epoch_end(self, trainer, pl_module):
        gc.disable()  # they have to be freed at once, not at the next collection
        self.references.append(weakref.ref(trainer.strategy.model))

    def on_train_end(self, trainer, pl_module):
        gc.enable()
        alive = [reference() is not None for reference in self.references]
        if trainer.world_size > 1 and alive != [False, False, True]:
            raise ValueError(f"DDP wrappers of the epochs: {alive}")


def test_two_processes_unfreeze_like_one(make_classifier, make_trainer):
    def run(batch_size, **options):
        model = make_classifier(
            make_backbone=lambda: TimmBackbone("test_vit", num_channels=1, image_size=32),
            optimizer=partial(torch.optim.SGD, lr=0.05, momentum=0.9),
        )
        schedule = {0: "head", 1: "blocks.4", 2: "all"}
        callbacks = [ProgressiveUnfreezing(schedule), Wrappers()]
        trainer = make_trainer(max_epochs=3, callbacks=callbacks, **options)
        trainer.fit(model, data(batch_size=batch_size))
        return model.state_dict()

    one, two = run(16), run(8, devices=2, strategy="ddp_fork")
    for name in one:
        torch.testing.assert_close(two[name], one[name], rtol=0, atol=1e-6)


def test_compiled_network_unfreezes_like_an_uncompiled_one(make_classifier, make_trainer):
    # The network is compiled again for each boundary, and would be for validation.
    schedule = {0: "head", 1: "blocks.block2.norm.weight", 2: "all"}
    options = {"epochs": 3, "optimizer": MOMENTUM, "limit_val_batches": 0}
    plain, seen = fit(make_classifier, make_trainer, schedule, **options)
    compiled, snapshots = fit(
        make_classifier, make_trainer, schedule, compile="aot_eager", **options
    )
    for before, after in zip(seen.states, snapshots.states, strict=True):
        assert moved(seen.states[0], before) == moved(snapshots.states[0], after)
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(compiled.state_dict()[name], value, rtol=1e-3, atol=1e-4)


def test_average_of_frozen_weights_equals_them(make_classifier, make_trainer):
    class Validated(Snapshots):
        def on_train_epoch_end(self, trainer, pl_module):
            """Nothing: the weights have been swapped back in by then."""

        def on_validation_epoch_start(self, trainer, pl_module):
            if not trainer.sanity_checking:
                self._copy(trainer, pl_module)

    validated = Validated(False)
    callbacks = [WeightAverage(0.9), validated]
    schedule = {0: "head", 1: "block3", 3: "all"}
    model, plain = fit(make_classifier, make_trainer, schedule, 4, callbacks=callbacks)
    start, *averages = validated.states
    assert all("head" in name for name in moved(start, averages[0]))
    assert all("block3" in n or "head" in n for n in moved(start, averages[2]))
    assert any("block1" in name for name in moved(start, averages[3]))
    trained = {name for name in moved(averages[3], plain.states[-1]) if "running" not in name}
    assert trained  # the validated weights are not the trained ones
    assert not moved(averages[3], {n: model.state_dict()[n] for n in averages[3]})


def test_a_fit_with_averages_is_resumed_across_an_unfreezing(
    make_classifier, make_trainer, tmp_path
):
    def run(epochs, ckpt_path=None):
        model = make_classifier(optimizer=MOMENTUM)
        last = ModelCheckpoint(
            tmp_path, "last", save_on_train_epoch_end=True, enable_version_counter=False
        )
        trainer = make_trainer(
            max_epochs=epochs,
            enable_checkpointing=True,
            plugins=[AtomicCheckpointIO()],
            callbacks=[ProgressiveUnfreezing(SCHEDULE), WeightAverage(0.9), last],
        )
        trainer.fit(model, data(), ckpt_path=ckpt_path)
        return model.state_dict()

    whole = run(5)
    run(3)  # before the norm of the second block is freed
    resumed = run(5, tmp_path / "last.ckpt")
    assert [key for key in whole if not whole[key].equal(resumed[key])] == []


def test_half_precision_and_early_stopping_work(make_classifier, make_trainer):
    stopping = EarlyStopping("val/loss", patience=0, min_delta=10)
    options = {"precision": "bf16-mixed", "callbacks": [stopping]}
    _, snapshots = fit(make_classifier, make_trainer, SCHEDULE, **options)
    assert stopping.stopped_epoch == 1
    names = moved(*snapshots.states[1:3])
    assert all("block3" in name or "head" in name for name in names)


@pytest.mark.parametrize(
    ("unfreezing", "message"),
    [
        (ProgressiveUnfreezing({0: "blok3"}), "called 'blok3'. Near names: .*block3"),
        (ProgressiveUnfreezing({0: "head", 2: "layer4"}), "called 'layer4'"),
        (
            ProgressiveUnfreezing({1: "head"}),
            "train_from has to start with epoch 0; its epochs are 1",
        ),
        (ProgressiveUnfreezing({0: "head"}, {3: 0.1}), "learning_rate has to start with epoch 0"),
        (ProgressiveUnfreezing("auto", every_n_epochs=0), "every_n_epochs is 0; expected 1"),
        (ProgressiveUnfreezing("auto", stage_decay=0.5), "stage_decay needs learning_rate"),
    ],
)
def test_schedule_that_does_not_fit_is_refused_before_training(
    make_classifier, make_trainer, unfreezing, message
):
    trainer = make_trainer(max_epochs=1, callbacks=[unfreezing])
    with pytest.raises(ValueError, match=message):
        trainer.fit(make_classifier(), data())
    assert trainer.global_step == 0


def test_two_sources_of_learning_rates_are_refused(make_classifier, make_trainer):
    model = make_classifier(lr_scheduler=lambda o: schedulers.CosineAnnealingLR(o, 5))
    trainer = make_trainer(callbacks=[ProgressiveUnfreezing({0: "all"}, {0: 0.1})])
    with pytest.raises(ValueError, match="expected one of them"):
        trainer.fit(model, data())


def test_numbers_of_parameters_are_logged_exactly(make_classifier, make_trainer, client):
    """In float32, as by Lightning's `log`, 17,116,211 would be rounded."""
    logger = RunLogger("parameters")
    wide = make_classifier(
        head=lambda features, classes: Head(features, classes, (17_000_001 // 33,)),
        optimizer=partial(torch.optim.SGD, lr=0.1),
    )
    unfreezing = ProgressiveUnfreezing({0: "head", 1: "all"})
    trainer = make_trainer(
        max_epochs=2,
        limit_train_batches=1,
        limit_val_batches=0,
        logger=logger,
        callbacks=[unfreezing],
    )
    trainer.fit(wide, data())
    history = client.get_metric_history(logger.run_id, "params/trainable")
    head = sum(parameter.numel() for parameter in wide.head.parameters())
    total = sum(parameter.numel() for parameter in wide.parameters())
    assert head > 2**24
    assert [metric.value for metric in history] == [head, total]
