"""Launcher of child runs: processes of this machine, or jobs of a cluster (submitit)."""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

A_DAY = 24 * 60  # minutes; submitit's own limit is five minutes
POLL = 0.5  # seconds between two looks at a job; submitit asks SLURM less often
NAMES = ("local", "submitit")
NEEDED = (
    "--launcher submitit needs submitit: install `lightning-image-classification[submitit]`, or "
    "`uv sync --extra submitit`."
)


@dataclass(frozen=True)
class Launcher:
    """What each job of the cluster asks for; None leaves it to the cluster.

    Without SLURM, jobs run on this machine, and see no GPU unless they ask for some.

    Attributes:
        partition: Partition of SLURM.
        time: Limit in minutes; a job that reaches it is queued again, and its run is resumed.
        gpus: Number of GPUs.
        cpus: Number of CPU cores.
    """

    partition: str | None = None
    time: int = A_DAY
    gpus: int | None = None
    cpus: int | None = None

    def submit(self, work: Any, folder: Path, name: str) -> Any:
        """Queue a job; on a machine without SLURM, run it here.

        Args:
            work: What to call in the job; it can be pickled.
            folder: Folder of the files of the job, which all machines share.
            name: Name of the job.

        Returns:
            submitit's job.
        """
        import submitit  # optional

        executor = submitit.AutoExecutor(folder)
        asked = {
            "slurm_partition": self.partition,
            "timeout_min": self.time,
            "gpus_per_node": self.gpus,
            "cpus_per_task": self.cpus,
        }
        chosen = {key: value for key, value in asked.items() if value is not None}
        executor.update_parameters(name=name, **chosen)
        return executor.submit(work)


def run_job(
    launcher: Launcher, work: Any, folder: Path, name: str, stopped: Callable[[], bool]
) -> str | None:
    """Queue a job and wait for its end; return why it failed, or None.

    Args:
        launcher: Queues it.
        work: See `Launcher.submit`; it returns why it failed, or None.
        folder: See `Launcher.submit`.
        name: See `Launcher.submit`.
        stopped: Whether to cancel it.
    """
    job = launcher.submit(work, folder, name)
    while not job.done():
        if stopped():
            job.cancel()
            return f"its job {job.job_id} was cancelled."
        time.sleep(POLL)
    try:
        return job.result()
    except Exception as error:  # of any kind: what the job has raised, or that it was killed
        return f"its job {job.job_id} ended with an error: {error}"


def add_launcher_options(parser: argparse.ArgumentParser) -> None:
    """Add `--jobs`, `--launcher` and what its jobs ask for."""
    parser.add_argument(
        "--jobs", type=int, help="runs at the same time (default: 1; all of them with submitit)"
    )
    parser.add_argument(
        "--launcher",
        choices=NAMES,
        default="local",
        help="where the runs are trained: here, or each as a job of SLURM (default: local)",
    )
    parser.add_argument("--launcher.partition", metavar="NAME", help="partition of the jobs")
    parser.add_argument(
        "--launcher.time", type=int, metavar="MINUTES", help="limit of each job (default: a day)"
    )
    parser.add_argument("--launcher.gpus", type=int, metavar="N", help="GPUs of each job")
    parser.add_argument("--launcher.cpus", type=int, metavar="N", help="CPU cores of each job")


def launcher_of(options: argparse.Namespace) -> Launcher | None:
    """The launcher that the options choose; None for processes of this machine.

    Raises:
        ValueError: If submitit is missing, a number is out of range, or an option of the jobs is
            given although there are none.
    """
    if options.jobs is not None and options.jobs < 1:
        raise ValueError(f"Expected --jobs of 1 or more, got {options.jobs}.")
    asked = {
        name: value
        for name in ("partition", "time", "gpus", "cpus")
        if (value := getattr(options, f"launcher.{name}")) is not None
    }
    if options.launcher == "local":
        if asked:
            raise ValueError(f"--launcher.{next(iter(asked))} needs --launcher submitit.")
        return None
    lowest = {"time": 1, "gpus": 0, "cpus": 1}
    for name, value in asked.items():
        if name in lowest and value < lowest[name]:
            raise ValueError(f"Expected --launcher.{name} of {lowest[name]} or more, got {value}.")
    if find_spec("submitit") is None:
        raise ValueError(NEEDED)
    return Launcher(**asked)
