"""Offline runs: logged to the local store first, and sent to a server by `lightning_cli sync`."""

from collections.abc import Iterator
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException

from lightning_app.store.locations import ORIGIN, ROOT, create_experiment, local_uri

OFFLINE, WAITS = "offline", "waits for lightning_cli sync"  # a tag of the local run, and its value
MAX_PARAMS, MAX_METRICS = 100, 1000  # that MLflow accepts at once


def stored_run_of(client: MlflowClient, run_id: str) -> Run | None:
    """The run of an id that a checkpoint names; None if the store does not have it."""
    try:
        return client.get_run(run_id)
    except MlflowException:
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        found = client.search_runs(experiments, f"tags.`{ORIGIN}` = '{run_id}'", max_results=1)
        return found[0] if found else None


def waiting_runs(client: MlflowClient) -> list[Run]:
    """Local runs that were not sent yet."""
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return list(client.search_runs(experiments, f"tags.{OFFLINE} = '{WAITS}'"))


def send_run(local: MlflowClient, run: Run, server: MlflowClient, uri: str, root: Path) -> str:
    """Copy a run to the server; return its id there. Its checkpoints stay in their folder.

    What an earlier attempt has copied is not doubled: MLflow keeps equal metrics once.

    Args:
        local: Client of the local store.
        run: The run.
        server: Client of the server.
        uri: Address of the server.
        root: Folder of the local store.
    """
    experiment = local.get_experiment(run.info.experiment_id).name
    number = create_experiment(server, experiment, root, uri)
    sent = stored_run_of(server, run.info.run_id)
    tags = {key: value for key, value in run.data.tags.items() if key != OFFLINE}
    tags[ORIGIN] = run.info.run_id
    if sent is None:
        sent = server.create_run(number, run.info.start_time, tags, run.info.run_name)
    _copy(local, run, server, sent.info.run_id, tags)
    server.set_terminated(sent.info.run_id, run.info.status, run.info.end_time)
    local.set_tag(run.info.run_id, OFFLINE, f"sent as {sent.info.run_id}")
    return sent.info.run_id


def _copy(
    local: MlflowClient, run: Run, server: MlflowClient, run_id: str, tags: dict[str, str]
) -> None:
    params = [Param(key, value) for key, value in run.data.params.items()]
    for start in range(0, len(params), MAX_PARAMS):
        server.log_batch(run_id, params=params[start : start + MAX_PARAMS])
    metrics = list(_metrics(local, run))
    for start in range(0, len(metrics), MAX_METRICS):
        server.log_batch(run_id, metrics=metrics[start : start + MAX_METRICS])
    own = [RunTag(key, value) for key, value in tags.items()]
    for start in range(0, len(own), MAX_PARAMS):
        server.log_batch(run_id, tags=own[start : start + MAX_PARAMS])
    if run.inputs and run.inputs.dataset_inputs:
        server.log_inputs(run_id, run.inputs.dataset_inputs)
    if local.list_artifacts(run.info.run_id):
        server.log_artifacts(run_id, local.download_artifacts(run.info.run_id, ""))


def _metrics(local: MlflowClient, run: Run) -> Iterator[Metric]:
    for name in run.data.metrics:
        yield from local.get_metric_history(run.info.run_id, name)


def local_store(root: Path = ROOT) -> MlflowClient | None:
    """Client of the local store; None if there is none."""
    return MlflowClient(local_uri(root)) if (root / "mlflow.db").is_file() else None
