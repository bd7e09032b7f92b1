"""The runs of the store, and the one that a user means."""

import re

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from lightning_app.tracking.store import ROOT, is_local, tracking_uri

LAST = "last"
RUN_ID = re.compile(r"[0-9a-f]{32}")
SUGGESTED = 5  # names that an error lists


def open_store() -> MlflowClient:
    """Reads and writes the runs of this folder, or of `MLFLOW_TRACKING_URI`.

    Raises:
        ValueError: If there is no store yet.
        ConnectionError: If it does not answer.
    """
    uri = tracking_uri()
    if is_local(uri) and not (ROOT / "mlflow.db").is_file():
        raise ValueError(
            f"There is no run in {ROOT.resolve()} yet. Start one with `lightning_cli fit`, or go "
            "where yours are."
        )
    client = MlflowClient(uri)
    try:
        client.search_experiments(max_results=1)
    except MlflowException as error:
        raise ConnectionError(f"The runs at {uri} cannot be read: {error}") from error
    return client


def find_run(client: MlflowClient, wanted: str) -> Run:
    """The run of an id or a name; `last` is the one that was started last.

    Raises:
        ValueError: If there is none, or there are several of that name.
    """
    if RUN_ID.fullmatch(wanted):
        try:
            return client.get_run(wanted)
        except MlflowException:
            pass  # a run may be called so
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    newest = client.search_runs(
        experiments, order_by=["attributes.start_time DESC"], max_results=SUGGESTED
    )
    if not newest:
        raise ValueError("There is no run in the store yet. Start one with `lightning_cli fit`.")
    if wanted == LAST:
        return newest[0]
    quote = '"' if "'" in wanted else "'"
    named = client.search_runs(experiments, f"attributes.run_name = {quote}{wanted}{quote}")
    if len(named) > 1:
        ids = ", ".join(run.info.run_id for run in named)
        raise ValueError(f"{len(named)} runs are called {wanted!r}; name one by its id: {ids}.")
    if not named:
        names = ", ".join(str(run.info.run_name) for run in newest)
        raise ValueError(
            f"There is no run {wanted!r}; expected the id or the name of one, or {LAST}. The "
            f"newest are {names}."
        )
    return named[0]
