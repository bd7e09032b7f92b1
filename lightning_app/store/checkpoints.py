"""Which checkpoint a user means, and which run it belongs to."""

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from lightning_app.store.locations import ROOT, checkpoint_folder, is_local, tracking_uri
from lightning_app.store.runs import find_run, ids_of_children, open_store

SUFFIXES = (".ckpt", ".pt", ".pth")
KEYWORDS = ("best", "last")
EXPECTED = "a file, the id or name of a run, best or last"


def find_checkpoint(
    wanted: str | Path,
    experiment: str | None = None,
    order: Sequence[str] = KEYWORDS,
    root: Path = ROOT,
) -> Path:
    """The checkpoint that a user means.

    Args:
        wanted: A file; the id or name of a run; `best` or `last` for the newest of that name.
        experiment: Whose runs `best` and `last` look at; None for all.
        order: Which checkpoint of a named run to take, if it has left it.
        root: The folder of the runs.

    Raises:
        ValueError: If there is no such file or run, or it has left no checkpoint.
    """
    path = Path(wanted)
    if path.is_file():
        return path
    if str(wanted) in KEYWORDS:
        return _newest(str(wanted), experiment, root)
    if path.is_dir():
        raise ValueError(f"{wanted} is a folder; name the file of a checkpoint in it.")
    if path.suffix in SUFFIXES or path.is_absolute():  # no run is called so
        raise ValueError(f"There is no checkpoint {wanted}; expected {EXPECTED}.")
    client = open_store()
    run = find_run(client, str(wanted))
    folder = checkpoint_folder(
        root, client.get_experiment(run.info.experiment_id).name, run.info.run_id
    )
    for name in order:
        if (file := folder / f"{name}.ckpt").is_file():
            return file
    raise ValueError(
        f"The run {run.info.run_name} has left no {' and no '.join(order)} checkpoint in {folder}; "
        "name the file of its checkpoint."
    )


def _newest(name: str, experiment: str | None, root: Path) -> Path:
    """The newest checkpoint of a run that somebody started, not of one of an ablation's."""
    folder = root / "checkpoints" / experiment if experiment else root / "checkpoints"
    found = list(folder.glob(f"*/{name}.ckpt" if experiment else f"*/*/{name}.ckpt"))
    known = not is_local(tracking_uri(root)) or (root / "mlflow.db").is_file()
    children = ids_of_children(open_store(root)) if found and known else set()
    own = [file for file in found if file.parent.name not in children]
    if own:
        return max(own, key=lambda file: file.stat().st_mtime)
    whose = f"No run of the experiment {experiment!r}" if experiment else "No run"
    hint = " Those of ablations do not count, but can be named." if found else ""
    raise ValueError(
        f"{whose} has left a checkpoint {name}.ckpt in {folder}.{hint} Train one with "
        "`lightning_cli fit`, or name a run or a file."
    )


def read_checkpoint(file: Path) -> dict[str, Any]:
    """What a checkpoint holds; its tensors stay on the disk until they are used.

    Raises:
        ValueError: If the file is no checkpoint of Lightning's.
    """
    try:
        content = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except (EOFError, KeyError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        raise ValueError(f"{file} is damaged, or no checkpoint.") from error
    if not isinstance(content, dict) or "state_dict" not in content:
        raise ValueError(f"{file} is no checkpoint of a fit: it has no `state_dict`.")
    return content
