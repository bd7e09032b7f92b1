"""Run lookup: open the MLflow store; find a run by id, beginning of an id, name, or as newest."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from datamodules.redaction import redact_text
from lightning_app.store.deleted_runs import refuse_deleted_run
from lightning_app.store.locations import ORIGIN, ROOT, is_local, tracking_uri
from lightning_app.store.registry import find_model, is_registered
from lightning_app.store.run_words import BEST, LAST

WHOLE_ID = 32  # digits
ID_LENGTH = 6  # digits from which the beginning of an id may stand for it
# `04c80e`, or `base, seed 0 (04c80e)` as `compare` prints it.
BY_ID = re.compile(rf"((?P<name>.+) \()?(?P<id>[0-9a-f]{{{ID_LENGTH},32}})(?(name)\))", re.DOTALL)
SUGGESTED = 5  # names that an error lists
LISTED = 10  # runs that an error lists, one per line


def open_store(root: Path = ROOT) -> MlflowClient:
    """Open the MLflow store of a folder, or the one at `MLFLOW_TRACKING_URI`.

    Raises:
        ValueError: If there is no store yet.
        ConnectionError: If the store does not answer.
    """
    uri = tracking_uri(root)
    if is_local(uri) and not (root / "mlflow.db").is_file():
        raise ValueError(
            f"There is no run in {root.resolve()} yet. Start one with `lightning_cli fit`, or "
            "change to the folder of your runs."
        )
    client = MlflowClient(uri)
    try:
        client.search_experiments(max_results=1)
    except MlflowException as error:
        raise ConnectionError(redact_text(f"The runs at {uri} cannot be read: {error}")) from error
    return client


def find_run(client: MlflowClient, wanted: str) -> Run:
    """Find a run by its id, the beginning of its id, or its name.

    `last` is the newest run that is not a child run of another; `best` is the run of the checkpoint
    of that name; `models:/NAME@ALIAS` is the run of a registered model.

    Raises:
        ValueError: If there is no such run, or more than one.
    """
    if is_registered(wanted):
        return client.get_run(str(find_model(client, wanted).source_run_id))
    found = [] if wanted in (BEST, LAST) else _named(client, wanted)
    if len(found) > 1:
        raise ValueError(_ambiguous(client, wanted, found))
    return found[0] if found else _chosen(client, wanted)


def _named(client: MlflowClient, wanted: str) -> list[Run]:
    return _by_name(client, wanted) or _by_id(client, wanted) or _by_origin(client, wanted)


def _chosen(client: MlflowClient, wanted: str) -> Run:
    """The run that `best` or `last` means; an error for other words."""
    newest = _search(client, "", SUGGESTED)
    if not newest:
        refuse_deleted_run(client, wanted)
        raise ValueError("There is no run in the store yet. Start one with `lightning_cli fit`.")
    if wanted == BEST:
        from lightning_app.store.checkpoints import find_checkpoint  # imports torch

        return client.get_run(find_checkpoint(BEST).parent.name)
    if wanted == LAST:
        own = _search(client, f"tags.`{MLFLOW_PARENT_RUN_ID}` IS NULL", 1)
        return (own or newest)[0]
    refuse_deleted_run(client, wanted)
    names = quoted(run.info.run_name for run in newest)
    raise ValueError(
        f"There is no run {wanted!r}; expected the id or name of a run, the first {ID_LENGTH} "
        f"or more digits of its id, {BEST}, {LAST} or models:/NAME@ALIAS. The newest runs are "
        f"{names}."
    )


def newest_runs(client: MlflowClient, number: int, children: bool = False) -> list[Run]:
    """The newest runs, with or without those that have a parent run."""
    own = f"tags.`{MLFLOW_PARENT_RUN_ID}` IS NULL"
    return _search(client, "" if children else own, number)


def children_of(client: MlflowClient, run: Run) -> list[Run]:
    """Child runs of a run, such as those of an ablation, newest first."""
    return _search(client, f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{run.info.run_id}'")


def name_with_id(run: Run) -> str:
    """Name of a run with the beginning of its id, in a form that `find_run` accepts."""
    return f"{run.info.run_name} ({run.info.run_id[:ID_LENGTH]})"


def quoted(names: Iterable[str | None]) -> str:
    """Names as a comma-separated list; quoted, since they may contain commas themselves."""
    return ", ".join(repr(name) for name in names)


def _search(client: MlflowClient, query: str, most: int = 1000) -> list[Run]:
    """Runs that match an MLflow query, newest first."""
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    order = ["attributes.start_time DESC"]
    return list(client.search_runs(experiments, query, max_results=most, order_by=order))


def _by_name(client: MlflowClient, name: str) -> list[Run]:
    # A query cannot contain a text with both kinds of quotes: `_` matches any character.
    pattern = re.sub(r"\W", "_", name)
    found = _search(client, f"attributes.run_name LIKE '{pattern}'")
    return [run for run in found if run.info.run_name == name]


def _by_id(client: MlflowClient, wanted: str) -> list[Run]:
    """Runs by the beginning of their id, with or without the name in front of it."""
    if (parts := BY_ID.fullmatch(wanted)) is None:
        return []
    found = _search(client, f"attributes.run_id LIKE '{parts['id']}%'")
    return [run for run in found if parts["name"] in (None, run.info.run_name)]


def _by_origin(client: MlflowClient, wanted: str) -> list[Run]:
    """A run that was trained offline, by the id that its checkpoints name."""
    whole = BY_ID.fullmatch(wanted) and len(wanted) == WHOLE_ID
    return _search(client, f"tags.`{ORIGIN}` = '{wanted}'", 1) if whole else []


def _ambiguous(client: MlflowClient, wanted: str, found: Sequence[Run]) -> str:
    """Error message that lists the runs that match, one per line."""
    same_name = all(run.info.run_name == wanted for run in found)
    what = "are called" if same_name else "have an id that begins with"
    how = f"its id, or enough of its first digits ({ID_LENGTH} or more) to be unique"
    lines = [f"{len(found)} runs {what} {wanted!r}; name one by {how}. Newest first:"]
    for run in found[:LISTED]:
        name = "" if same_name else f"{run.info.run_name!r} "
        lines.append(f"  {run.info.run_id}  {name}{_origin(client, run)}")
    if len(found) > LISTED:
        lines.append(f"  and {len(found) - LISTED} older ones")
    return "\n".join(lines)


def _origin(client: MlflowClient, run: Run) -> str:
    """Experiment and start time of a run, and its parent run if it has one."""
    experiment = client.get_experiment(run.info.experiment_id).name
    started = datetime.fromtimestamp(run.info.start_time / 1000, UTC).astimezone()
    origin = f"in {experiment}, started {started:%Y-%m-%d %H:%M}"
    parent = run.data.tags.get(MLFLOW_PARENT_RUN_ID)
    return origin if parent is None else f"{origin}, child of {_name_of(client, parent)}"


def _name_of(client: MlflowClient, run_id: str) -> str:
    try:
        return repr(client.get_run(run_id).info.run_name)
    except MlflowException:  # deleted permanently
        return run_id
