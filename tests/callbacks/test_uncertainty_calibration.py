import pytest
import torch
from lightning.pytorch import Trainer

from callbacks import OutputRecorder, UncertaintyCalibration
from callbacks.prediction_writer import uncertainty_columns
from datamodules import SyntheticDataModule
from models import ImageClassifier, SmallCNN
from models.evaluation.prediction_sets import set_names
from models.evaluation.predictions import Predictions
from models.evaluation.uncertainty import UNCERTAINTY, fit_uncertainty


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A trainer after a fit of one epoch, its network, its recorder and its checkpoint."""
    torch.manual_seed(0)
    data = SyntheticDataModule(num_workers=0, image_size=16)
    model, recorder = (
        ImageClassifier(SmallCNN(4, data.num_channels), data.num_classes),
        OutputRecorder(),
    )
    trainer = Trainer(
        max_epochs=1,
        limit_train_batches=1,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        callbacks=[recorder, UncertaintyCalibration(recorder)],
        default_root_dir=tmp_path_factory.mktemp("fit"),
    )
    trainer.fit(model, data)
    file = tmp_path_factory.mktemp("saved") / "a.ckpt"
    trainer.save_checkpoint(file)
    return trainer, model, recorder, torch.load(file, weights_only=True)


def test_the_checkpoint_has_the_thresholds_of_its_validation(trained):
    trainer, model, recorder, checkpoint = trained
    outputs = recorder.gather(trainer)
    found = outputs.predictions
    expected = fit_uncertainty(found.logits, found.labels, outputs.features.values)
    assert model.uncertainty.sets == expected.sets
    assert checkpoint[UNCERTAINTY]["overall"] == list(expected.sets.overall)
    assert checkpoint[UNCERTAINTY]["threshold"] == expected.neighbours.threshold


def test_a_network_takes_over_what_its_checkpoint_has(trained):
    checkpoint = trained[3]
    model = ImageClassifier(SmallCNN(4, 1), 4)
    model.on_load_checkpoint(checkpoint)
    assert model.uncertainty.sets.overall == tuple(checkpoint[UNCERTAINTY]["overall"])
    model.on_load_checkpoint({})  # of an earlier version
    assert model.uncertainty is None


def test_a_training_step_forgets_the_thresholds(trained):
    trainer, model, recorder, _ = trained
    kept = model.uncertainty
    UncertaintyCalibration(recorder).on_train_batch_start(trainer, model, None, 0)
    assert model.uncertainty is None
    model.uncertainty = kept


def test_outputs_with_thresholds_have_the_similarity_of_each_image(trained):
    trainer, model, _, _ = trained
    images = trainer.datamodule.sample(8)[0]
    model.eval()
    with torch.inference_mode():
        outputs = model.predict_step([images], 0)
    expected = model.uncertainty.neighbours.similarity(outputs["features"])
    assert outputs["similarity"].equal(expected)


def test_columns_name_the_set_and_what_is_unknown(trained):
    model = trained[1]
    logits = torch.tensor([[9.0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]])[:, : model.num_classes]
    found = Predictions(logits, torch.tensor([-1, -1]), torch.arange(2))
    names = [f"c{k}" for k in range(model.num_classes)]
    threshold = model.uncertainty.neighbours.threshold
    similarity = torch.tensor([threshold + 0.01, threshold - 0.01])
    columns = uncertainty_columns(model.uncertainty, found, similarity, names)
    assert columns["unknown"] == [False, True]
    assert columns["set"] == set_names(model.uncertainty.sets.sets(logits), names)
    assert uncertainty_columns(None, found, similarity, names) == {}
    assert list(uncertainty_columns(model.uncertainty, found, None, names)) == ["set"]
