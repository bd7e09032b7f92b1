import pytest
from sklearn.metrics import roc_auc_score

from callbacks import ChosenMetric, OutputRecorder


def test_it_is_computed_from_the_whole_validation(make_classifier, make_trainer, synthetic):
    recorder = OutputRecorder()
    trainer = make_trainer(
        max_epochs=1, callbacks=[recorder, ChosenMetric(recorder, "auc")], limit_train_batches=1
    )
    trainer.fit(make_classifier(), synthetic)
    found = recorder.gather(trainer).predictions
    scores = found.probabilities.numpy()
    expected = roc_auc_score(found.labels, scores, multi_class="ovr", average="macro")
    assert float(trainer.callback_metrics["val/auc"]) == pytest.approx(expected, abs=1e-6)
