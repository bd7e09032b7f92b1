"""Configuration that a run recorded: `test --ckpt_path RUN` needs no other."""

from typing import Any

import yaml

from lightning_app.store.checkpoints import find_checkpoint, readable_checkpoint
from lightning_app.store.run_recorder import RUN_ID
from lightning_app.store.runs import find_run, open_store
from lightning_app.store.stored_run import open_stored_run

FILE = "config/config.yaml"
OF_THE_FIT = ("ckpt_path", "loggers", "recipe", "time")  # settings that an evaluation does not need


def recorded_config(ckpt_path: str) -> tuple[dict[str, Any], str]:
    """The configuration of the run that a checkpoint belongs to, and its name; empty if not known.

    Args:
        ckpt_path: What `--ckpt_path` says.

    Raises:
        ValueError: If there is no such checkpoint.
    """
    run_id = readable_checkpoint(find_checkpoint(ckpt_path))[1].get(RUN_ID)
    if run_id is None:
        return {}, ""
    client = open_store()
    try:
        run = find_run(client, run_id)
    except ValueError:  # the checkpoint was copied from another store
        return {}, ""
    with open_stored_run(client, run) as stored:
        config = yaml.safe_load(stored.text(FILE) or "") or {}
    settings = {key: value for key, value in config.items() if key not in OF_THE_FIT}
    return settings, run.info.run_name or run_id


def needs_checkpoint(command: str) -> ValueError:
    """The error for a command that evaluates a network, but was given none."""
    return ValueError(
        f"`lightning_cli {command}` needs a trained network: --ckpt_path best, "
        "--ckpt_path last, --ckpt_path RUN, or --ckpt_path FILE."
    )
