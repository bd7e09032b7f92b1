from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from lightning.pytorch import LightningModule
from matplotlib.figure import Figure
from torch import nn

from callbacks import ConfusionMatrixMonitor, FilterVisualizer, GradCAMVisualizer, Visualizer
from callbacks.run import classifier_of
from lightning_app.tracking.run_logger import RunLogger
from models import Backbone
from models.explain import last_feature_map


@dataclass(eq=False)
class Recorder(Visualizer):
    """Notes the epochs in which it is asked to draw."""

    name: ClassVar[str] = "recorder"

    def __post_init__(self):
        super().__post_init__()
        self.epochs = []

    def draw(self, model, trainer):
        self.epochs.append(trainer.current_epoch)
        assert not model.training
        return Figure(figsize=(1, 1))


class NoConvolution(Backbone):
    """A network that no picture of ours can show."""

    num_features = 8

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(32 * 32, 8)

    def forward(self, images):
        return self.layer(images.flatten(1))

    def stages(self):
        return {"layer": ["layer.weight", "layer.bias"]}


@pytest.mark.parametrize(("every", "epochs"), [(1, [0, 1, 2, 3, 4]), (2, [0, 2, 4]), (9, [0])])
def test_schedule(make_classifier, make_trainer, synthetic, every, epochs):
    recorder = Recorder(every_n_epochs=every)
    make_trainer(max_epochs=5, callbacks=[recorder]).fit(make_classifier(), synthetic)
    assert recorder.epochs == epochs


def test_validate_draws_once(make_classifier, make_trainer, synthetic):
    recorder = Recorder(every_n_epochs=7)
    make_trainer(callbacks=[recorder]).validate(make_classifier(), synthetic, verbose=False)
    assert len(recorder.epochs) == 1


@pytest.mark.parametrize("picture", [Recorder, GradCAMVisualizer, ConfusionMatrixMonitor])
def test_schedule_that_never_comes_is_refused(picture):
    with pytest.raises(ValueError, match="every_n_epochs to be at least 1, got 0"):
        picture(every_n_epochs=0)


def test_drawing_leaves_the_model_as_it_was(make_classifier, make_trainer, synthetic):
    def weights(*pictures):
        model = make_classifier()
        make_trainer(max_epochs=2, callbacks=list(pictures)).fit(model, synthetic)
        assert not any(module._forward_hooks for module in model.modules())
        return model.state_dict()

    plain, drawn = weights(), weights(GradCAMVisualizer(), FilterVisualizer())
    assert all(plain[name].equal(drawn[name]) for name in plain)


def test_network_without_pictures_trains_all_the_same(
    make_classifier, make_trainer, synthetic, client
):
    model, logger = make_classifier(make_backbone=NoConvolution), RunLogger("none")
    pictures = [GradCAMVisualizer(), FilterVisualizer()]
    with pytest.warns(UserWarning, match=r"No picture filters: .* no convolution"):
        make_trainer(max_epochs=1, logger=logger, callbacks=pictures).fit(model, synthetic)
    assert not client.list_artifacts(logger.run_id, "images")
    assert "val/accuracy" in client.get_run(logger.run_id).data.metrics


def test_unknown_layer_says_how_layers_are_called(make_classifier, make_trainer, synthetic):
    trainer = make_trainer(callbacks=[GradCAMVisualizer(layer="layer4")])
    with pytest.raises(
        ValueError, match=r"no layer 'layer4'.*backbone has normalize, blocks, pool"
    ):
        trainer.validate(make_classifier(), synthetic, verbose=False)


def test_named_layer_is_explained(make_classifier, make_trainer, synthetic):
    picture = GradCAMVisualizer(num_images=4, layer="backbone.blocks.block2")
    trainer = make_trainer(callbacks=[picture])
    model = make_classifier()
    trainer.validate(model, synthetic, verbose=False)
    figure = picture.draw(model.eval(), trainer)
    assert "(backbone.blocks.block2)" in figure.axes[0].get_title()
    assert len(figure.axes[0].images) == 4


def test_captions_name_prediction_and_truth(make_classifier, make_trainer, synthetic):
    picture, model = GradCAMVisualizer(num_images=8), make_classifier().eval()
    trainer = make_trainer(callbacks=[picture])
    trainer.validate(model, synthetic, verbose=False)
    captions = [text.get_text() for text in picture.draw(model, trainer).axes[0].texts]
    images, labels = synthetic.sample(8)
    with torch.no_grad():
        predicted = model(images).argmax(dim=1)
    names = synthetic.class_names
    for caption, guess, true in zip(captions, predicted, labels, strict=True):
        assert caption.startswith(names[guess])
        assert (f"\nnot {names[true]}" in caption) == (guess != true).item()


def test_another_module_is_refused():
    with pytest.raises(TypeError, match="reads an ImageClassifier, got LightningModule"):
        classifier_of(LightningModule())


def test_every_epoch_explains_the_same_layer(make_classifier, make_trainer, synthetic, monkeypatch):
    searches = []

    def search(model, images):
        searches.append(model)
        return last_feature_map(model, images)

    monkeypatch.setattr("callbacks.grad_cam.last_feature_map", search)
    picture = GradCAMVisualizer(num_images=4)
    for _ in range(2):  # another fit may bring another model
        make_trainer(max_epochs=3, callbacks=[picture]).fit(make_classifier(), synthetic)
    assert len(searches) == 2
