"""Logged models of runs: which there are, and the scores that MLflow shows of them."""

from collections.abc import Iterator
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelStatus, Metric, Run

CHECKPOINT, EPOCH = "checkpoint", "epoch"  # tags of a logged model
LINKED = ("train/", "val/", "test/")  # metrics that are of the network


def epoch_of(model: LoggedModel) -> int:
    """Epoch of the checkpoint that a model was logged from; -1 if it is not known."""
    return int((model.tags or {}).get(EPOCH, -1))


def logged_model_of(client: MlflowClient, run: Run) -> LoggedModel | None:
    """The newest model that is logged for a run; None if there is none."""
    outputs = run.outputs.model_outputs if run.outputs else []
    models = [client.get_logged_model(output.model_id) for output in outputs]
    ready = [model for model in models if model.status == LoggedModelStatus.READY]
    return max(ready, key=lambda model: model.creation_timestamp, default=None)


def link_scores(client: Any, run: Run, model: LoggedModel) -> None:
    """Link the metrics of the model's epoch with the model, and with the dataset of their split.

    Args:
        client: An `MlflowClient`.
        run: The run of the model.
        model: The model.
    """
    linked = {(metric.key, metric.timestamp) for metric in model.metrics or []}
    new = [m for m in _scores(client, run, model) if (m.key, m.timestamp) not in linked]
    if new:
        client.log_batch(run.info.run_id, metrics=new)


def _scores(client: Any, run: Run, model: LoggedModel) -> Iterator[Metric]:
    inputs = run.inputs.dataset_inputs if run.inputs else []
    datasets = {each.dataset.name.rsplit("/", 1)[-1]: each.dataset for each in inputs}
    for name in run.data.metrics:
        if not name.startswith(LINKED) or name.endswith("_step"):
            continue
        history = client.get_metric_history(run.info.run_id, name)
        of_epoch = [point for point in history if point.step == epoch_of(model)]
        if not of_epoch:
            continue
        last = max(of_epoch, key=lambda point: point.timestamp)
        dataset = datasets.get(name.partition("/")[0])
        yield Metric(
            name,
            last.value,
            last.timestamp,
            last.step,
            model_id=model.model_id,
            dataset_name=dataset and dataset.name,
            dataset_digest=dataset and dataset.digest,
            run_id=run.info.run_id,
        )
