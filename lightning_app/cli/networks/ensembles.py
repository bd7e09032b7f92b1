"""Ensembles of runs: checked, written as a checkpoint, and found again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from lightning_app.cli.networks.derived_run import (
    create_derived_run,
    derived_checkpoint,
    key_of,
    record_derived,
)
from lightning_app.cli.networks.exportable import Exportable
from lightning_app.store.checkpoints import find_checkpoint, read_checkpoint
from lightning_app.store.locations import ROOT, folder_of
from lightning_app.store.run_recorder import RUN_ID
from lightning_app.store.runs import find_run, name_with_id, open_store, quoted

ENSEMBLE = "ensemble"  # tag of a run: digest of its members
HYPER_PARAMETERS = "hyper_parameters"
NAMED = 3  # members that the name of an ensemble lists
PARTS = ("backbone", "head")  # of a member
FORMATS = ("image_size", "num_channels", "resize")  # of the images that all members see


def ensemble_of(wanted: Sequence[str | Path], root: Path = ROOT) -> Path:
    """The checkpoint of the ensemble of some runs, which is written if there is none yet.

    It belongs to a run of its own, which has the scores of the ensemble.

    Args:
        wanted: Two or more checkpoints; see `find_checkpoint`.
        root: Folder of the store.

    Raises:
        ValueError: If a run or checkpoint is missing or named twice, or they do not fit together.
    """
    client = open_store(root)
    sources = sources_of(client, wanted, root)
    runs = [source.stored[1] for source in sources]
    parts = [f"{run.info.run_id} {s.epoch}" for run, s in zip(runs, sources, strict=True)]
    if len(set(parts)) < len(parts):
        names = quoted(map(str, wanted))
        raise ValueError(f"An ensemble of {names}: one of the networks is there twice.")
    check_fit(sources)
    if known := _known(client, runs[0], key_of(parts), root):
        return known
    names = [str(run.info.run_name) for run in runs]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    run = create_derived_run(client, f"ensemble of {', '.join(names[:NAMED])}{more}", runs[0])
    file = write_ensemble(client, run, sources, root)
    client.set_tag(run.info.run_id, ENSEMBLE, key_of(parts))
    client.set_terminated(run.info.run_id)
    return file


def write_ensemble(
    client: MlflowClient, run: Run, sources: Sequence[Exportable], root: Path = ROOT
) -> Path:
    """Write the checkpoint of an ensemble.

    Args:
        client: The store.
        run: The run that it belongs to.
        sources: Its members.
        root: Folder of the store.

    Raises:
        ValueError: If the members do not fit together, or one is not in the store.
    """
    check_fit(sources)
    checkpoints = [read_checkpoint(source.file) for source in sources]
    settings, first = checkpoints[0][HYPER_PARAMETERS], sources[0].source.class_names
    members = [_member(s, c, first) for s, c in zip(sources, checkpoints, strict=True)]
    state = {
        f"backbone.members.{place}.{name}": value
        for place, checkpoint in enumerate(checkpoints)
        for name, value in checkpoint["state_dict"].items()
        if name.startswith(tuple(f"{part}." for part in PARTS))
    }
    parts = {
        "backbone": {"class_path": "models.Ensemble", "init_args": {"members": members}},
        "head": {"class_path": "models.NoHead"},
        "optimization": {},
        "lr_scheduler": None,
    }
    runs = [source.stored[1] for source in sources]
    names = [name_with_id(member) for member in runs]
    checkpoint = derived_checkpoint(checkpoints[0], settings | parts, state, names)
    return record_derived(client, run, runs, checkpoint, root)


def check_fit(sources: Sequence[Exportable]) -> None:
    """Check that networks can answer as one.

    Raises:
        ValueError: If they have other classes, or take other images.
    """
    first = sources[0]
    for other in sources[1:]:
        mine, theirs = set(first.source.class_names), set(other.source.class_names)
        if mine != theirs:
            only = [f"{', '.join(sorted(a - b))}" for a, b in ((mine, theirs), (theirs, mine))]
            differing = "; ".join(
                f"only {s.title} has {names}"
                for s, names in zip((first, other), only, strict=True)
                if names
            )
            raise ValueError(f"An ensemble needs networks with the same classes; {differing}.")
        for name in FORMATS:
            a, b = (getattr(each.source, name) for each in (first, other))
            if a != b:
                raise ValueError(
                    f"An ensemble needs networks that see the same image, but {name} is {a} for "
                    f"{first.title} and {b} for {other.title}."
                )


def _member(
    source: Exportable, checkpoint: dict[str, Any], class_names: Sequence[str]
) -> dict[str, Any]:
    """Settings of a member, without weights that would be fetched again."""
    settings = checkpoint[HYPER_PARAMETERS]
    backbone = {**settings["backbone"]}
    arguments = {**(backbone.get("init_args") or {})}
    arguments |= {"pretrained": False} if "pretrained" in arguments else {}
    arguments |= {"weights": None} if "weights" in arguments else {}
    own = list(source.source.class_names)
    return {
        "class_path": "models.Member",
        "init_args": {
            "backbone": backbone | {"init_args": arguments},
            "num_classes": len(own),
            "head": settings["head"],
            "temperature": source.temperature[0],
            "order": None
            if own == list(class_names)
            else [own.index(name) for name in class_names],
        },
    }


def sources_of(client: MlflowClient, wanted: Sequence[str | Path], root: Path) -> list[Exportable]:
    """The networks of some checkpoints, with their runs.

    Raises:
        ValueError: If there is no such checkpoint, or one belongs to no run in the store.
    """
    sources = []
    for each in wanted:
        file = find_checkpoint(each, root=root)
        run_id = read_checkpoint(file).get(RUN_ID)
        if run_id is None:
            raise ValueError(f"{file} belongs to no run, but its images have to be known.")
        sources.append(Exportable(str(file), stored=(client, find_run(client, run_id))))
    return sources


def _known(client: MlflowClient, first: Run, key: str, root: Path) -> Path | None:
    """The checkpoint of an ensemble that was written before."""
    experiment = client.get_experiment(first.info.experiment_id)
    query = f"tags.{ENSEMBLE} = '{key}'"
    for run in client.search_runs([experiment.experiment_id], query):
        file = folder_of(root, experiment.name, run) / "best.ckpt"
        if file.is_file():
            return file
    return None
