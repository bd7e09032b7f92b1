from lightning.pytorch import Callback
from lightning.pytorch.callbacks import LambdaCallback
from lightning.pytorch.trainer.call import _call_callback_hooks

from callbacks.empty_hooks import STEP_HOOKS, leave_out_empty_hooks


class Quiet(Callback):
    """Has no hook of a step."""


class Loud(Callback):
    """Notes the calls of the hooks of a step that it has."""

    def __init__(self):
        self.called = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.called.append(("start", batch_idx))

    def on_after_backward(self, trainer, pl_module):
        self.called.append("backward")


class Louder(Loud):
    """Inherits hooks that do something."""


def test_only_hooks_that_do_something_are_called(make_trainer, monkeypatch):
    callbacks = [Quiet(), Loud(), Louder()]
    trainer = make_trainer(callbacks=callbacks)
    leave_out_empty_hooks(callbacks)
    for hook in STEP_HOOKS:  # would be seen wherever the hook of the base class is still called
        monkeypatch.setattr(Callback, hook, lambda *arguments: 1 / 0)
    _call_callback_hooks(trainer, "on_train_batch_start", None, 3)
    _call_callback_hooks(trainer, "on_after_backward")
    _call_callback_hooks(trainer, "on_before_zero_grad", None)
    assert [callback.called for callback in callbacks[1:]] == [[("start", 3), "backward"]] * 2
    assert [*vars(callbacks[0])] == [*STEP_HOOKS]


def test_hooks_outside_of_steps_stay(make_trainer):
    callback = Quiet()
    leave_out_empty_hooks([callback])
    assert callback.on_train_epoch_end.__func__ is Callback.on_train_epoch_end
    assert callback.state_dict() == {}


def test_hooks_of_an_instance_stay(make_trainer):
    called = []
    callback = LambdaCallback(on_after_backward=lambda *arguments: called.append(arguments))
    trainer = make_trainer(callbacks=[callback])
    for _ in range(2):
        leave_out_empty_hooks(trainer.callbacks)
    _call_callback_hooks(trainer, "on_after_backward")
    _call_callback_hooks(trainer, "on_before_zero_grad", None)
    assert len(called) == 1
