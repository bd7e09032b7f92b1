"""The checkpoint that a fit resumes from: `last.ckpt` of the newest run that can be resumed."""

from pathlib import Path

from lightning.pytorch.utilities import rank_zero_warn

from lightning_app.store.checkpoints import newest_checkpoint
from lightning_app.store.locations import ROOT
from lightning_app.store.newest_runs import RunFolder, newest_own_runs
from lightning_app.store.run_file import FINISHED
from lightning_app.store.runs import find_run, open_store


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
    file = newest_checkpoint("last", experiment, root)
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
