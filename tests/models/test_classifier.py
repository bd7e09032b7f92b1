import pytest
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.cli import ReduceLROnPlateau
from sklearn.metrics import f1_score, top_k_accuracy_score
from torch import nn

from models import CrossEntropy, Head


class KeepBatches(Callback):
    """Keeps the logits that the steps return, and the labels."""

    def __init__(self):
        self.logits, self.labels = [], []

    def on_validation_batch_end(self, trainer, module, outputs, batch, batch_idx, loader=0):
        self.logits.append(outputs["logits"])
        self.labels.append(batch[1])


def test_logged_metrics_are_those_of_all_images_together(make_classifier, make_trainer, synthetic):
    keep, model = KeepBatches(), make_classifier()
    trainer = make_trainer(callbacks=[keep])
    [metrics] = trainer.validate(model, synthetic, verbose=False)
    logits, labels = torch.cat(keep.logits), torch.cat(keep.labels)
    assert len(labels) == len(synthetic.sources["val"].labels)
    predicted = logits.argmax(dim=1)
    loss = nn.functional.cross_entropy(logits, labels).item()
    assert metrics["val/loss"] == pytest.approx(loss, rel=1e-5)
    assert metrics["val/accuracy"] == pytest.approx((predicted == labels).float().mean().item())
    assert metrics["val/f1_macro"] == pytest.approx(f1_score(labels, predicted, average="macro"))


def test_top_k_accuracy_is_logged_from_six_classes_on(make_classifier, make_trainer, synthetic):
    keep, model = KeepBatches(), make_classifier(num_classes=6)
    trainer = make_trainer(callbacks=[keep])
    [metrics] = trainer.validate(model, synthetic, verbose=False)
    logits, labels = torch.cat(keep.logits), torch.cat(keep.labels)
    expected = top_k_accuracy_score(labels, logits, k=3, labels=range(6))
    assert metrics["val/top3_accuracy"] == pytest.approx(expected)
    [metrics] = make_trainer().validate(make_classifier(), synthetic, verbose=False)
    assert set(metrics) == {"val/loss", "val/accuracy", "val/f1_macro"}


def test_training_learns(make_classifier, make_trainer, synthetic):
    trainer = make_trainer(max_epochs=12)
    trainer.fit(make_classifier(), synthetic)
    assert trainer.callback_metrics["val/accuracy"] == 1.0
    assert trainer.callback_metrics["train/accuracy"] > 0.9
    assert trainer.callback_metrics["lr/head"] == pytest.approx(3e-3)


def test_balanced_class_weights_follow_from_the_counts_of_the_dataset(
    make_classifier, make_trainer, synthetic
):
    model = make_classifier(loss=lambda counts: CrossEntropy(counts, class_weights="balanced"))
    make_trainer(limit_val_batches=1).validate(model, synthetic, verbose=False)
    counts = torch.tensor(synthetic.class_counts)
    torch.testing.assert_close(model.loss.weight, counts.sum() / (4 * counts))


def test_head_gets_features_and_classes(make_classifier):
    model = make_classifier(head=lambda features, classes: Head(features, classes, hidden=(7,)))
    assert model(torch.rand(2, 1, 16, 16)).shape == (2, 4)
    assert model.head.layers[1].in_features == model.backbone.num_features


def test_plateau_scheduler_monitors_its_metric(make_classifier):
    model = make_classifier(lr_scheduler=lambda o: ReduceLROnPlateau(o, monitor="val/f1_macro"))
    assert model.configure_optimizers()["lr_scheduler"]["monitor"] == "val/f1_macro"


def test_plateau_scheduler_of_torch_monitors_the_validation_loss(make_classifier):
    model = make_classifier(lr_scheduler=torch.optim.lr_scheduler.ReduceLROnPlateau)
    assert model.configure_optimizers()["lr_scheduler"]["monitor"] == "val/loss"


def test_loaders_without_a_datamodule_are_refused(make_classifier, make_trainer, synthetic):
    with pytest.raises(TypeError, match="needs the class counts of a datamodule"):
        make_trainer(max_epochs=1).fit(make_classifier(), synthetic.train_dataloader())


def test_overfitting_on_one_batch_works(make_classifier, make_trainer, synthetic):
    make_trainer(max_epochs=1, overfit_batches=1).fit(make_classifier(), synthetic)
