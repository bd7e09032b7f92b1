"""Heads that a fit prepares before its first step."""

import pytest
import torch
from lightning.pytorch import Callback

from callbacks import HeadStart, WeightAverage
from models import Head, SmallCNN


class FirstLogits(Callback):
    """Remembers the mean loss of the training images before the first step."""

    def on_train_start(self, trainer, pl_module):
        batches = [trainer.datamodule.images("train", range(48))]
        labels = torch.from_numpy(trainer.datamodule.sources["train"].labels[:48])
        with torch.no_grad():
            logits = pl_module.eval()(batches[0])
        pl_module.train()
        self.loss = float(torch.nn.functional.cross_entropy(logits, labels))
        self.state = {k: v.clone() for k, v in pl_module.head.state_dict().items()}


def pretrained():
    backbone = SmallCNN(8, 1)
    backbone.pretrained = True
    return backbone


@pytest.fixture
def start(workplace, make_classifier, make_trainer, synthetic):
    def run(*callbacks, make_backbone=pretrained, head=Head, epochs=1, **options):
        first = FirstLogits()
        model = make_classifier(make_backbone=make_backbone, head=head)
        trainer = make_trainer(max_epochs=epochs, callbacks=[HeadStart(), *callbacks, first])
        trainer.fit(model, synthetic, **options)
        return first, trainer

    return run


def test_head_of_a_pretrained_backbone_starts_fitted(start, messages):
    fitted, _ = start()
    random, _ = start(head=lambda features, classes: Head(features, classes, start="random"))
    assert fitted.loss < 0.6 * random.loss
    assert "Head        starts from a logistic regression" in messages.text


def test_hidden_head_starts_with_standardised_features(start):
    first, _ = start(head=lambda features, classes: Head(features, classes, hidden=(6,)))
    assert {"standardize.mean", "standardize.std"} < set(first.state)


def test_backbone_without_pretrained_weights_starts_as_built(start, make_classifier):
    first, _ = start(make_backbone=lambda: SmallCNN(8, 1))
    built = make_classifier().head.state_dict()
    assert all(tensor.equal(built[name]) for name, tensor in first.state.items())


def test_average_has_the_statistics_too(start):
    first, trainer = start(WeightAverage())
    assert trainer.lightning_module.head.standardize.mean.equal(first.state["standardize.mean"])


def test_resumed_fit_keeps_the_head_of_its_checkpoint(start, tmp_path):
    _, trainer = start()
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    trained = trainer.lightning_module.head.state_dict()
    first, _ = start(epochs=2, ckpt_path=tmp_path / "last.ckpt")
    assert all(tensor.equal(trained[name]) for name, tensor in first.state.items())
