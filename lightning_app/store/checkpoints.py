"""Checkpoint lookup: by file, by run, or as `best` or `last`; and reading one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.utilities import rank_zero_warn
from mlflow import MlflowClient
from mlflow.entities import Run

from lightning_app.store.checkpoint_io import predecessor, read_tensors
from lightning_app.store.locations import ROOT, folder_of
from lightning_app.store.logged_models import CHECKPOINT, epoch_of
from lightning_app.store.newest_runs import newest_own_runs
from lightning_app.store.registry import find_model, is_registered
from lightning_app.store.run_words import BEST
from lightning_app.store.runs import find_run, open_store
from lightning_app.store.uploaded_checkpoint import downloaded, newest_uploaded

SUFFIXES = (".ckpt", ".pt", ".pth")
KEYWORDS = ("best", "last")
EXPECTED = "a file, the id or name of a run, best, last, or models:/NAME@ALIAS"


def find_checkpoint(
    wanted: str | Path,
    experiment: str | None = None,
    order: Sequence[str] = KEYWORDS,
    root: Path = ROOT,
) -> Path:
    """Find the checkpoint that a user named.

    Args:
        wanted: A file; the id or name of a run; `best` or `last` for that of the newest run that
            has one; or `models:/NAME@ALIAS` for the checkpoint that a registered model was logged
            from.
        experiment: Experiment in which `best` and `last` are searched; None for all.
        order: Names of the checkpoints of a run, in order of preference.
        root: Folder of the store.

    Raises:
        ValueError: If there is no such file or run, or the run has no checkpoint.
    """
    path = Path(wanted)
    if path.is_file():
        return path
    if is_registered(wanted):
        return _of_model(str(wanted), root)
    if str(wanted) in KEYWORDS:
        return newest_checkpoint(str(wanted), experiment, root)
    if path.is_dir():
        raise ValueError(f"{wanted} is a folder; name the file of a checkpoint in it.")
    if looks_like_file(path):
        raise ValueError(f"There is no checkpoint {wanted}; expected {EXPECTED}.")
    client = open_store(root)
    return _of_run(client, find_run(client, str(wanted)), order, root)


def _of_run(client: MlflowClient, run: Run, order: Sequence[str], root: Path) -> Path:
    folder = _folder_of(client, run, root)
    for name in order:
        file = folder / f"{name}.ckpt"
        if file.is_file() or predecessor(file).is_file():
            return file
        if name == BEST and (file := downloaded(client, run, root)):
            return file
    raise ValueError(
        f"The run {run.info.run_name} has no {' and no '.join(order)} checkpoint in {folder}; name "
        "the file of its checkpoint. Fits with `--checkpoints upload` leave their best one in the "
        "store, for other machines."
    )


def _folder_of(client: MlflowClient, run: Run, root: Path) -> Path:
    experiment = client.get_experiment(run.info.experiment_id).name
    return folder_of(root, experiment, run)


def _of_model(uri: str, root: Path) -> Path:
    """The checkpoint that a registered model was logged from, if it is still the same."""
    client = open_store(root)
    model = find_model(client, uri)
    run, name = client.get_run(str(model.source_run_id)), (model.tags or {}).get(CHECKPOINT, BEST)
    local = _folder_of(client, run, root) / f"{name}.ckpt"
    uploaded = name == BEST and not local.is_file()
    file = downloaded(client, run, root) if uploaded else local
    if not file or not file.is_file():
        raise ValueError(
            f"The checkpoint of {uri} is not here: there is no {local}, and it was not uploaded "
            "(`--checkpoints upload`)."
        )
    if (epoch := int(read_checkpoint(file).get("epoch", -1))) != epoch_of(model):
        raise ValueError(
            f"{file} is of epoch {epoch} now, since the run was resumed; {uri} was logged from "
            f"epoch {epoch_of(model)}. Promote the run again to register the new checkpoint."
        )
    return file


def looks_like_file(path: Path) -> bool:
    """Whether this is the file of a checkpoint, there or not, and no name of a run."""
    return path.suffix in SUFFIXES or path.is_absolute() or path.is_file()


def newest_checkpoint(name: str, experiment: str | None, root: Path) -> Path:
    """The newest checkpoint of a run that a user started, not of a child run of an ablation.

    Args:
        name: `best` or `last`; the former may be one that another machine has uploaded.
        experiment: Name of the experiment; None for all.
        root: Folder of the store.

    Raises:
        ValueError: If there is none.
    """
    uploaded = newest_uploaded(root, experiment) if name == BEST else None
    for run in newest_own_runs(experiment, root):
        file = run.path / f"{name}.ckpt"
        if uploaded is not None and uploaded.info.start_time / 1000 > run.started:
            break
        if file.is_file() or predecessor(file).is_file():
            return file
    if uploaded is not None:
        return find_checkpoint(uploaded.info.run_id, root=root)
    folder = root / "checkpoints" / experiment if experiment else root / "checkpoints"
    subject = f"No run of the experiment {experiment!r}" if experiment else "No run"
    any_run = any(folder.glob(f"*/{name}.ckpt" if experiment else f"*/*/{name}.ckpt"))
    hint = " Runs of ablations do not count; name one to use its checkpoint." if any_run else ""
    raise ValueError(
        f"{subject} has a checkpoint {name}.ckpt in {folder}.{hint} Train one with "
        "`lightning_cli fit`, or name a run or a file."
    )


def readable_checkpoint(file: Path) -> tuple[Path, dict[str, Any]]:
    """Read a checkpoint, or the one before it if it is damaged or missing.

    Returns:
        The file that was read, and its content.

    Raises:
        ValueError: If it is damaged, and so is the one before, or there is none. The message names
            `best.ckpt` if there is one.
    """
    earlier = predecessor(file)
    try:
        return file, read_checkpoint(file)
    except ValueError as error:
        try:
            content = read_checkpoint(earlier)
        except ValueError:
            raise ValueError(f"{error}{_other_checkpoint(file)}") from error
        rank_zero_warn(f"{error} The one before it is used, {earlier}.")
        return earlier, content


def _other_checkpoint(file: Path) -> str:
    best = file.with_name("best.ckpt")
    return f" There is also {best}." if best != file and best.is_file() else ""


def read_checkpoint(file: Path) -> dict[str, Any]:
    """Read a checkpoint; its tensors stay on the disk until they are used.

    Raises:
        ValueError: If the file is not a checkpoint of a fit.
    """
    content = read_tensors(file, "cpu", mmap=True)
    if not isinstance(content, dict) or "state_dict" not in content:
        raise ValueError(f"{file} is not a checkpoint of a fit: it has no `state_dict`.")
    parts = ("state_dict", "hyper_parameters")
    if not all(isinstance(content.get(part, {}), dict) for part in parts):
        raise ValueError(f"{file} is damaged: its weights or settings are no dict.")
    return content
