"""Fixtures for tests of the registry: runs with predictions and a logged model, not trained."""

import pytest
from mlflow.entities import LoggedModelOutput, LoggedModelStatus

from lightning_app.main import main
from lightning_app.store.logged_models import CHECKPOINT, EPOCH

EPOCHS = 3  # of the checkpoint of each model


@pytest.fixture
def add_model(client):
    """Function that logs a model of a run, with no files."""

    def add(run_id, epoch=EPOCHS):
        run = client.get_run(run_id)
        tags = {CHECKPOINT: "best", EPOCH: str(epoch)}
        model = client.create_logged_model(run.info.experiment_id, "best", run_id, tags=tags)
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, epoch)])
        return client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)

    return add


@pytest.fixture
def make_model(make_tested, add_model, add_split):
    """Function that stores a run with test predictions, of `make_tested`, and its logged model."""

    def make(name, letters, labels="ccddoo", **options):
        right = sum(a == b for a, b in zip(letters, labels, strict=True))
        scores = {"test/accuracy": right / len(labels)}
        run_id = make_tested(name, letters, labels, metrics=scores, **options)
        add_split(run_id, "test", {"cat": 2, "dog": 2, "owl": 2})
        add_model(run_id)
        return run_id

    return make


@pytest.fixture
def promote(capsys):
    """Function that promotes a run as the model `animals`; returns what is printed."""

    def run(*arguments):
        main(["promote", *arguments, "--name", "animals"])
        return capsys.readouterr().out

    return run


@pytest.fixture
def aliases(client):
    """Function that gives the version of each alias of `animals`, as numbers."""

    def read():
        found = client.get_registered_model("animals").aliases
        return {alias: int(version) for alias, version in found.items()}

    return read
