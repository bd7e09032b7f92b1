"""Uploaded checkpoint: `best.ckpt` as an artifact of its run, so that any machine finds it."""

import hashlib
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from datamodules.atomic_files import atomic_write
from lightning_app.store.locations import ROOT, is_local, tracking_uri

FILE = "best.ckpt"
FOLDER = "checkpoints"  # among the artifacts of the run
DIGEST = "checkpoint.best"  # tag of the run: SHA-256 of the file
DOWNLOADS = "downloads"  # in the folder of the store; a folder for each run


def digest_of(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def upload(client: MlflowClient, run_id: str, file: Path) -> None:
    """Upload the best checkpoint of a run, unless it is there already.

    Raises:
        MlflowException: If MLflow does not take it.
    """
    digest = digest_of(file)
    if client.get_run(run_id).data.tags.get(DIGEST) == digest:
        return
    client.log_artifact(run_id, str(file), FOLDER)
    client.set_tag(run_id, DIGEST, digest)


def downloaded(client: MlflowClient, run: Run, root: Path = ROOT) -> Path | None:
    """The uploaded checkpoint of a run, as a file here; None if none was uploaded.

    Args:
        client: The store.
        run: The run.
        root: Folder of the store. A file that was downloaded before is used again, unless the run
            has another one now.

    Raises:
        ValueError: If it cannot be downloaded, or is damaged.
    """
    digest = run.data.tags.get(DIGEST)
    if digest is None:
        return None
    file = root / DOWNLOADS / run.info.run_id / FILE
    if file.is_file() and digest_of(file) == digest:
        return file
    with TemporaryDirectory() as folder:
        try:
            found = Path(client.download_artifacts(run.info.run_id, f"{FOLDER}/{FILE}", folder))
        except (MlflowException, OSError) as error:
            raise ValueError(f"The {FILE} of {run.info.run_name} is not here: {error}") from error
        with atomic_write(file) as unfinished:
            shutil.copyfile(found, unfinished)
            if digest_of(unfinished) != digest:
                raise ValueError(f"The uploaded {FILE} of {run.info.run_name} is damaged.")
    return file


def newest_uploaded(root: Path, experiment: str | None = None) -> Run | None:
    """The newest run on a server that has an uploaded checkpoint and is no child run.

    Args:
        root: Folder of the store.
        experiment: Name of its experiment; None for all.
    """
    uri = tracking_uri(root)
    if is_local(uri):  # its runs have their checkpoints beside it
        return None
    client = MlflowClient(uri)
    try:
        known = client.search_experiments()
        among = [e.experiment_id for e in known if experiment in (None, e.name)]
        query = f"tags.`{DIGEST}` != '' AND tags.`{MLFLOW_PARENT_RUN_ID}` IS NULL"
        order = ["attributes.start_time DESC"]
        found = client.search_runs(among, query, max_results=1, order_by=order) if among else []
    except MlflowException:  # it is away: what is here can be used all the same
        return None
    return found[0] if found else None
