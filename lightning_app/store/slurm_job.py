"""SLURM jobs: a job that is queued again continues its run."""

import os
import subprocess
from pathlib import Path

from datamodules.atomic_files import atomic_write
from lightning_app.store.locations import ROOT


def job_id() -> str | None:
    """Id of the SLURM job of this process, as `scontrol` takes it; None outside of SLURM."""
    if array := os.environ.get("SLURM_ARRAY_JOB_ID"):
        return f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}"
    return os.environ.get("SLURM_JOB_ID")


def remember_folder(folder: Path, root: Path = ROOT) -> None:
    """Remember the folder of the checkpoints of this job's run."""
    if (job := job_id()) is not None:
        with atomic_write(_file(job, root)) as unfinished:
            unfinished.write_text(str(folder), "utf-8")


def checkpoint_of_job(root: Path = ROOT) -> Path | None:
    """`last.ckpt` of the run that this job trained before it was queued again; None if none."""
    job = job_id()
    if job is None or not int(os.environ.get("SLURM_RESTART_COUNT", 0)):
        return None
    try:
        file = Path(_file(job, root).read_text("utf-8"), "last.ckpt")
    except OSError:
        return None
    return file if file.is_file() else None


def requeue() -> str:
    """Queue this job again; return what to tell the user."""
    job = job_id()
    try:
        done = subprocess.run(["scontrol", "requeue", str(job)], capture_output=True, text=True)
    except FileNotFoundError as error:
        return f"The job {job} cannot be queued again: {error}."
    if done.returncode:
        return f"The job {job} cannot be queued again: {done.stderr.strip()}."
    return f"The job {job} is queued again, and will continue this run."


def _file(job: str, root: Path) -> Path:
    return root / "jobs" / job
