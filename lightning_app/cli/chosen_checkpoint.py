"""The checkpoint that a training command starts from."""

from pathlib import Path

from lightning.pytorch.utilities import rank_zero_info

from lightning_app.cli.networks.derived_run import refuse_training
from lightning_app.cli.one_line.recorded_config import needs_checkpoint
from lightning_app.store.checkpoints import (
    KEYWORDS,
    find_checkpoint,
    readable_checkpoint,
)
from lightning_app.store.last_checkpoint import last_to_resume
from lightning_app.store.run_words import LAST
from lightning_app.store.slurm_job import checkpoint_of_job


def chosen_checkpoint(command: str, wanted: str | None, experiment: str | None) -> Path | None:
    """Find the checkpoint, and read it once, so that a damaged one is reported by us.

    Args:
        command: The command; a fit resumes from the last checkpoint of a run.
        wanted: What `--ckpt_path` says; a fit needs none.
        experiment: Experiment in which `best` and `last` are searched; None for all.

    Raises:
        ValueError: If there is no such checkpoint, none is given where one is needed, or a fit is
            to train an ensemble or a soup.
    """
    fitting = command == "fit"
    if wanted is None and fitting and (file := checkpoint_of_job()):
        rank_zero_info(f"This SLURM job was queued again; it continues with {file}.")
        wanted = str(file)
    if wanted is None:
        if fitting:
            return None
        raise needs_checkpoint(command)
    if fitting and wanted == LAST:
        path = last_to_resume(experiment)
    else:
        path = find_checkpoint(wanted, experiment, (LAST,) if fitting else KEYWORDS)
    file = readable_checkpoint(path)[0]
    if fitting:
        refuse_training(file)
    return file
