import pytest
import torch
from lightning.pytorch.callbacks import Callback

from callbacks import WeightAverage
from callbacks.weight_average import moving_average


class Weights(Callback):
    """The head's weights after each step, and those that are validated."""

    def __init__(self):
        self.stepped, self.validated = [], []

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.stepped.append(module.head.layers[1].weight.detach().clone())

    def on_validation_batch_start(self, trainer, module, batch, batch_idx, loader=0):
        self.validated.append(module.head.layers[1].weight.detach().clone())


def averages(weights, decay):
    average = weights[0]
    for count, weight in enumerate(weights[1:], start=1):
        kept = min(decay, (1 + count) / (10 + count))
        average = kept * average + (1 - kept) * weight
        yield average


def test_validation_and_the_end_of_a_fit_use_the_average(make_classifier, make_trainer, synthetic):
    weights, model = Weights(), make_classifier()
    callbacks = [WeightAverage(decay=0.3), weights]
    trainer = make_trainer(max_epochs=2, num_sanity_val_steps=0, callbacks=callbacks)
    trainer.fit(model, synthetic)
    expected = [*averages(weights.stepped, 0.3)]  # after the steps 2 to 6, three of them an epoch
    torch.testing.assert_close(weights.validated[0], expected[1])
    torch.testing.assert_close(weights.validated[-1], expected[4])
    torch.testing.assert_close(model.head.layers[1].weight.detach(), expected[4])


def test_average_is_updated_when_the_optimizer_steps(make_classifier, make_trainer, synthetic):
    weights, model = Weights(), make_classifier()
    callbacks = [WeightAverage(), weights]
    trainer = make_trainer(max_epochs=2, accumulate_grad_batches=2, callbacks=callbacks)
    trainer.fit(model, synthetic)  # of three batches the second and the third are steps
    [*_, expected] = averages([weights.stepped[i] for i in (1, 2, 4, 5)], 0.999)
    torch.testing.assert_close(model.head.layers[1].weight.detach(), expected)


def test_training_continues_with_the_weights(make_classifier, make_trainer, synthetic):
    def weights(*callbacks):
        seen = Weights()
        trainer = make_trainer(max_epochs=3, callbacks=[*callbacks, seen])
        trainer.fit(make_classifier(), synthetic)
        return seen.stepped

    for plain, averaged in zip(weights(), weights(WeightAverage()), strict=True):
        assert plain.equal(averaged)


def test_average_of_frozen_weights_equals_them(make_classifier, make_trainer, synthetic):
    model = make_classifier()
    model.backbone.requires_grad_(False)
    before = {name: p.detach().clone() for name, p in model.backbone.named_parameters()}
    make_trainer(max_epochs=4, callbacks=[WeightAverage()]).fit(model, synthetic)
    assert all(p.equal(before[name]) for name, p in model.backbone.named_parameters())


def test_average_of_equal_weights_does_not_drift():
    weights = [torch.randn(1000), torch.tensor([3])]
    average = [weight.clone() for weight in weights]
    update = moving_average(0.9999)
    for step in range(1, 1000):
        update(average[:1], weights[:1], torch.tensor(step))
        update(average[1:], weights[1:], torch.tensor(step))
    assert all(a.equal(w) for a, w in zip(average, weights, strict=True))


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_decay_out_of_range_is_refused(decay):
    with pytest.raises(ValueError, match=rf"Expected decay in \[0, 1\), got {decay:g}"):
        WeightAverage(decay)
