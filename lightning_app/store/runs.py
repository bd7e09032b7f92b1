"""The runs of the store, and the one that a user means."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from lightning_app.store.locations import ROOT, is_local, tracking_uri

LAST = "last"
ID_LENGTH = 6  # of an id, from which its beginning may stand for it
# `04c80e`, or `base, seed 0 (04c80e)` as `compare` prints it.
BEGUN = re.compile(rf"((?P<name>.+) \()?(?P<id>[0-9a-f]{{{ID_LENGTH},32}})(?(name)\))", re.DOTALL)
SUGGESTED = 5  # names that an error lists
LISTED = 10  # runs that an error lists, a line each


def open_store(root: Path = ROOT) -> MlflowClient:
    """Reads and writes the runs of a folder, or of `MLFLOW_TRACKING_URI`.

    Raises:
        ValueError: If there is no store yet.
        ConnectionError: If it does not answer.
    """
    uri = tracking_uri(root)
    if is_local(uri) and not (root / "mlflow.db").is_file():
        raise ValueError(
            f"There is no run in {root.resolve()} yet. Start one with `lightning_cli fit`, or go "
            "where yours are."
        )
    client = MlflowClient(uri)
    try:
        client.search_experiments(max_results=1)
    except MlflowException as error:
        raise ConnectionError(f"The runs at {uri} cannot be read: {error}") from error
    return client


def find_run(client: MlflowClient, wanted: str) -> Run:
    """The run of an id, of the beginning of one, or of a name; `last` was started last.

    Raises:
        ValueError: If there is none, or there are several of that name or beginning.
    """
    newest = _search(client, "", SUGGESTED)
    if not newest:
        raise ValueError("There is no run in the store yet. Start one with `lightning_cli fit`.")
    if wanted == LAST:
        return newest[0]
    found = _named(client, wanted) or _begun(client, wanted)
    if len(found) > 1:
        raise ValueError(_several(client, wanted, found))
    if not found:
        names = quoted(run.info.run_name for run in newest)
        raise ValueError(
            f"There is no run {wanted!r}; expected the id or the name of one, {ID_LENGTH} or more "
            f"digits that its id begins with, or {LAST}. The newest are {names}."
        )
    return found[0]


def children_of(client: MlflowClient, run: Run) -> list[Run]:
    """The runs that belong to another one, as those of an ablation do, the newest first."""
    return _search(client, f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run.info.run_id}'")


def ids_of_children(client: MlflowClient) -> set[str]:
    """The runs that belong to another one, whichever that is."""
    return {run.info.run_id for run in _search(client, f"tags.`{MLFLOW_PARENT_RUN_ID}` != ''")}


def name_with_id(run: Run) -> str:
    """The name of a run and the beginning of its id, which `find_run` takes."""
    return f"{run.info.run_name} ({run.info.run_id[:ID_LENGTH]})"


def quoted(names: Iterable[str | None]) -> str:
    """Names in a row; quoted, since they may hold commas."""
    return ", ".join(repr(name) for name in names)


def _search(client: MlflowClient, query: str, most: int = 1000) -> list[Run]:
    """The runs that match, the newest first."""
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    order = ["attributes.start_time DESC"]
    return list(client.search_runs(experiments, query, max_results=most, order_by=order))


def _named(client: MlflowClient, name: str) -> list[Run]:
    # The language of the query cannot say a text with both quotes in it: `_` stands for anything.
    pattern = re.sub(r"\W", "_", name)
    found = _search(client, f"attributes.run_name LIKE '{pattern}'")
    return [run for run in found if run.info.run_name == name]


def _begun(client: MlflowClient, wanted: str) -> list[Run]:
    """The runs whose ids begin so."""
    if (parts := BEGUN.fullmatch(wanted)) is None:
        return []
    found = _search(client, f"attributes.run_id LIKE '{parts['id']}%'")
    return [run for run in found if parts["name"] in (None, run.info.run_name)]


def _several(client: MlflowClient, wanted: str, found: Sequence[Run]) -> str:
    """Which runs a user may have meant, a line each."""
    same_name = all(run.info.run_name == wanted for run in found)
    what = "are called" if same_name else "have an id that fits"
    how = f"its id, or {ID_LENGTH} or more digits that it alone begins with"
    lines = [f"{len(found)} runs {what} {wanted!r}; name one by {how}. The newest come first:"]
    for run in found[:LISTED]:
        name = "" if same_name else f"{run.info.run_name!r} "
        lines.append(f"  {run.info.run_id}  {name}{_origin(client, run)}")
    if len(found) > LISTED:
        lines.append(f"  and {len(found) - LISTED} older ones")
    return "\n".join(lines)


def _origin(client: MlflowClient, run: Run) -> str:
    """Where a run belongs, and when it began."""
    experiment = client.get_experiment(run.info.experiment_id).name
    started = datetime.fromtimestamp(run.info.start_time / 1000, UTC).astimezone()
    told = f"in {experiment}, started {started:%Y-%m-%d %H:%M}"
    parent = run.data.tags.get(MLFLOW_PARENT_RUN_ID)
    return told if parent is None else f"{told}, of {_name_of(client, parent)}"


def _name_of(client: MlflowClient, run_id: str) -> str:
    try:
        return repr(client.get_run(run_id).info.run_name)
    except MlflowException:  # it was deleted for good
        return run_id
