"""MLflow run logger: end states, resumed runs, names, locations and buffered metrics."""

import math
import multiprocessing
from pathlib import Path

import pytest
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.exceptions import SIGTERMException
from mlflow import MlflowClient

from lightning_app.store import metric_buffer
from lightning_app.store.run_logger import RunLogger


class RaiseAtTheEnd(Callback):
    """Ends a fit with an exception."""

    def __init__(self, error):
        self.error = error

    def on_train_epoch_end(self, trainer, module):
        raise self.error


def status(client, run_id):
    return client.get_run(run_id).info.status


@pytest.fixture
def fit(make_trainer, make_classifier, synthetic):
    def run(logger, *callbacks):
        trainer = make_trainer(max_epochs=1, logger=logger, callbacks=list(callbacks))
        trainer.fit(make_classifier(), synthetic)

    return run


@pytest.fixture
def make_logger(workplace):
    """Make loggers, which are finalized after the test: they sample system metrics until then."""
    loggers = []

    def make(*args, **options):
        loggers.append(RunLogger(*args, **options))
        return loggers[-1]

    yield make
    for logger in loggers:
        logger.finalize()


@pytest.fixture
def finished(make_logger, client):
    """Id of a finished run with metrics."""
    logger = make_logger("states")
    logger.log_metrics({"val/accuracy": 0.5, "epoch": 0}, step=4)
    run_id = logger.run_id
    logger.finalize()
    return run_id


@pytest.fixture
def attach(make_logger, finished):
    """A new logger that continues the finished run."""

    def make(**options):
        logger = make_logger("another")
        assert logger.attach(finished, **options)
        return logger

    return make


def test_run_that_ends_is_finished(make_logger, client, fit):
    fit(logger := make_logger("states"))
    assert status(client, logger.run_id) == "FINISHED"


def test_run_that_fails_is_failed_and_keeps_its_metrics(make_logger, client, fit):
    logger = make_logger("states")
    with pytest.raises(RuntimeError, match="no"):
        fit(logger, RaiseAtTheEnd(RuntimeError("no")))
    assert status(client, logger.run_id) == "FAILED"
    assert "val/accuracy" in client.get_run(logger.run_id).data.metrics


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt(), SIGTERMException()])
def test_run_that_is_interrupted_is_killed(make_logger, client, fit, interrupt):
    logger = make_logger("states")
    with pytest.raises(SystemExit):
        fit(logger, RaiseAtTheEnd(interrupt))
    assert status(client, logger.run_id) == "KILLED"


def test_resumed_run_is_running_and_then_finished(client, finished, attach):
    logger = attach()
    assert logger.experiment_name == "states"
    _ = logger.experiment
    assert status(client, finished) == "RUNNING"
    logger.finalize()
    assert status(client, finished) == "FINISHED"


def test_resumed_fit_that_fails_before_training_keeps_the_status_of_the_run(
    client, finished, attach
):
    logger = attach()
    _ = logger.experiment
    logger.finalize("failed")
    assert status(client, finished) == "FINISHED"


def test_resumed_fit_that_fails_during_training_is_failed(client, finished, attach, fit):
    with pytest.raises(RuntimeError, match="no"):
        fit(attach(), RaiseAtTheEnd(RuntimeError("no")))
    assert status(client, finished) == "FAILED"


def test_failed_test_keeps_the_status_of_the_training(client, finished, attach):
    logger = attach(tested_epoch=0)
    _ = logger.experiment
    logger.finalize("failed")
    assert status(client, finished) == "FINISHED"


def test_metrics_of_a_test_are_logged_at_the_epoch_of_its_checkpoint(client, finished, attach):
    logger = attach(tested_epoch=7)
    _ = logger.experiment
    logger.log_metrics({"test/accuracy": 0.25, "epoch": 0}, step=0)
    logger.finalize()
    [metric] = client.get_metric_history(finished, "test/accuracy")
    assert (metric.step, metric.value) == (7, 0.25)


def test_run_of_another_store_cannot_be_resumed(make_logger, workplace):
    assert not make_logger("states").attach("0" * 32)


def test_names_differ_in_spite_of_equal_seeds(make_logger, workplace, make_classifier):
    names = set()
    for _ in range(2):
        make_classifier()  # seeds everything
        names.add(make_logger("states").run_name)
    assert len(names) == 2


def test_given_name_is_kept(make_logger, workplace):
    assert make_logger("states", run_name="first try").run_name == "first try"


def test_experiment_is_opened_in_the_mode_for_trained_models(make_logger, client):
    _ = make_logger("states").experiment
    tags = client.get_experiment_by_name("states").tags
    assert tags["mlflow.experimentKind"] == "custom_model_development"


def test_artifacts_and_checkpoints_are_below_the_root(make_logger, client, workplace):
    logger = make_logger("states")
    run = client.get_run(logger.run_id)
    assert Path(run.info.artifact_uri).is_relative_to(workplace / "mlruns" / "artifacts")
    assert logger.checkpoint_folder == Path("mlruns/checkpoints/states") / logger.run_id


def test_store_is_the_one_of_the_environment_variable(
    make_logger, workplace, monkeypatch, store_template, tmp_path
):
    other = f"sqlite:///{tmp_path / 'other.db'}"
    (tmp_path / "other.db").write_bytes(store_template.read_bytes())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", other)
    assert MlflowClient(other).get_run(make_logger("states").run_id)


def test_metrics_are_buffered_until_they_are_flushed(make_logger, client, monkeypatch):
    monkeypatch.setattr(metric_buffer, "FLUSH_SECONDS", math.inf)
    logger = make_logger("states")
    _ = logger.experiment
    logger.log_metrics({"val/loss": 1.5, "train/loss_step": 2.5, "epoch": 3}, step=70)
    assert client.get_run(logger._run_id).data.metrics == {}
    logger.flush()
    logger.close()
    history = {
        name: [(m.step, m.value) for m in client.get_metric_history(logger.run_id, name)]
        for name in ("val/loss", "train/loss_step")
    }
    assert history == {"val/loss": [(3, 1.5)], "train/loss_step": [(70, 2.5)]}


def test_more_metrics_than_mlflow_accepts_at_once_are_sent(make_logger, client):
    logger = make_logger("states")
    _ = logger.experiment
    for step in range(1100):
        logger.log_metrics({"train/loss_step": float(step), "epoch": 0}, step=step)
    logger.finalize()
    assert len(client.get_metric_history(logger.run_id, "train/loss_step")) == 1100


def _start_run(folder):
    RunLogger("race", root=Path(folder)).run_id  # noqa: B018


@pytest.mark.parametrize("num_processes", [3])
def test_processes_that_create_one_store_at_once_all_get_their_run(
    tmp_path, num_processes, monkeypatch
):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    context = multiprocessing.get_context("fork")
    root = tmp_path / "mlruns"
    processes = [context.Process(target=_start_run, args=(root,)) for _ in range(num_processes)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * num_processes
    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("race")
    assert len(client.search_runs([experiment.experiment_id])) == num_processes


def test_each_server_has_its_own_spool(make_logger, workplace, monkeypatch):
    here = make_logger("states")._spool
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert make_logger("states")._spool != here


def test_unwritable_folder_is_an_error(make_logger, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ValueError, match=r"cannot be stored in .*file/runs.*--trainer\.logger\.root"
    ):
        make_logger("states", root=tmp_path / "file" / "runs")


def test_metric_that_mlflow_rejects_is_an_error(make_logger, workplace):
    logger = make_logger("states")
    with pytest.raises(ValueError, match=r"metric cannot be called 'what\?!': names may only"):
        logger.log_metrics({"what?!": 1.0})
