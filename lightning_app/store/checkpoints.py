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
from lightning_app.store.newest_runs import RunFolder, newest_own_runs
from lightning_app.store.registry import find_model, is_registered
from lightning_app.store.run_file import FINISHED
from lightning_app.store.run_words import BEST
from lightning_app.store.runs import find_run, open_store

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
        return _newest(str(wanted), experiment, root)
    if path.is_dir():
        raise ValueError(f"{wanted} is a folder; name the file of a checkpoint in it.")
    if looks_like_file(path):
        raise ValueError(f"There is no checkpoint {wanted}; expected {EXPECTED}.")
    client = open_store(root)
    run = find_run(client, str(wanted))
    folder = _folder_of(client, run, root)
    for name in order:
        file = folder / f"{name}.ckpt"
        if file.is_file() or predecessor(file).is_file():
            return file
    raise ValueError(
        f"The run {run.info.run_name} has no {' and no '.join(order)} checkpoint in {folder}; name "
        "the file of its checkpoint."
    )


def _folder_of(client: MlflowClient, run: Run, root: Path) -> Path:
    experiment = client.get_experiment(run.info.experiment_id).name
    return folder_of(root, experiment, run)


def _of_model(uri: str, root: Path) -> Path:
    """The checkpoint that a registered model was logged from, if it is still the same."""
    client = open_store(root)
    model = find_model(client, uri)
    folder = _folder_of(client, client.get_run(str(model.source_run_id)), root)
    file = folder / f"{(model.tags or {}).get(CHECKPOINT, BEST)}.ckpt"
    if not file.is_file():
        raise ValueError(f"The checkpoint of {uri} is not here any more: there is no {file}.")
    if (epoch := int(read_checkpoint(file).get("epoch", -1))) != epoch_of(model):
        raise ValueError(
            f"{file} is of epoch {epoch} now, since the run was resumed; {uri} was logged from "
            f"epoch {epoch_of(model)}. Promote the run again to register the new checkpoint."
        )
    return file


def looks_like_file(path: Path) -> bool:
    """Whether this is the file of a checkpoint, there or not, and no name of a run."""
    return path.suffix in SUFFIXES or path.is_absolute() or path.is_file()


def last_to_resume(experiment: str | None = None, root: Path = ROOT) -> Path:
    """Find `last.ckpt` of the newest run, to train on.

    If the newest run was stopped before its first checkpoint, the newest one that has a checkpoint
    and is not finished.

    Args:
        experiment: Name of the experiment; None for all.
        root: Folder of the store.

    Raises:
        ValueError: If there is none, or if only a finished run has one, and the newest has not: it
            may not be the one that is meant.
    """
    newest = next(newest_own_runs(experiment, root), None)
    file = _newest("last", experiment, root)
    if newest is None or file.parent == newest.path:
        return file
    older = next(run for run in newest_own_runs(experiment, root) if run.path == file.parent)
    stopped = f"The newest run, {newest.name}, was stopped before its first checkpoint"
    if not _is_unfinished(older, root):
        raise ValueError(
            f"{stopped}, so there is nothing to resume; start it again without --ckpt_path. The "
            f"newest run with a checkpoint, {older.name}, is finished; to train it further, use "
            f"--ckpt_path {file}."
        )
    rank_zero_warn(f"{stopped}; {older.name} is resumed.")
    return file


def _is_unfinished(run: RunFolder, root: Path) -> bool:
    if run.file is not None:
        return run.file.status != FINISHED
    try:
        return find_run(open_store(root), run.path.name).info.status != FINISHED
    except (ValueError, ConnectionError):
        return False


def _newest(name: str, experiment: str | None, root: Path) -> Path:
    """The newest checkpoint of a run that a user started, not of a child run of an ablation."""
    for run in newest_own_runs(experiment, root):
        file = run.path / f"{name}.ckpt"
        if file.is_file() or predecessor(file).is_file():
            return file
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
