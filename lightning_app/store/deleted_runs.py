"""Deleted runs and experiments, which MLflow keeps: errors that say how to restore them."""

from mlflow import MlflowClient
from mlflow.entities import Experiment, LifecycleStage, ViewType

from datamodules.redaction import redact_text


def refuse_deleted_experiment(client: MlflowClient, experiment: Experiment) -> None:
    """Refuse an experiment that was deleted: MLflow takes neither a run of it nor its name.

    Raises:
        ValueError: If it was.
    """
    if experiment.lifecycle_stage == LifecycleStage.DELETED:
        restore = f"experiments restore --experiment-id {experiment.experiment_id}"
        raise ValueError(
            f"The experiment {experiment.name!r} was deleted. Restore it with\n"
            f"  {_command(client, restore)}\n"
            "or choose another name: --trainer.logger.experiment_name NAME."
        )


def refuse_deleted_run(client: MlflowClient, wanted: str) -> None:
    """Refuse a run that was deleted.

    Args:
        client: Client of the store.
        wanted: Its name, its id, or the beginning of its id.

    Raises:
        ValueError: If there is one; of several, it names the newest.
    """
    experiments = client.search_experiments(ViewType.ALL)
    runs = client.search_runs(
        [each.experiment_id for each in experiments],
        run_view_type=ViewType.DELETED_ONLY,
        order_by=["attributes.start_time DESC"],
    )
    for run in runs:
        if run.info.run_name == wanted or run.info.run_id.startswith(wanted):
            restore = f"runs restore --run-id {run.info.run_id}"
            raise ValueError(
                f"The run {run.info.run_name!r} was deleted. Restore it with\n"
                f"  {_command(client, restore)}\n"
                "or name another run; `lightning_cli runs` lists them."
            )


def _command(client: MlflowClient, arguments: str) -> str:
    return f"MLFLOW_TRACKING_URI={redact_text(str(client.tracking_uri))} mlflow {arguments}"
