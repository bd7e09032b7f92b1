"""Configuration that a run recorded: `test --ckpt_path RUN` needs no other."""

from typing import Any

import yaml

from lightning_app.store.checkpoints import find_checkpoint, read_checkpoint
from lightning_app.store.run_recorder import RUN_ID
from lightning_app.store.runs import find_run, open_store
from lightning_app.store.stored_run import open_stored_run

FILE = "config/config.yaml"


def recorded_config(ckpt_path: str) -> dict[str, Any]:
    """The configuration of the run that a checkpoint belongs to; empty if it is not known.

    Args:
        ckpt_path: What `--ckpt_path` says.

    Raises:
        ValueError: If there is no such checkpoint.
    """
    run_id = read_checkpoint(find_checkpoint(ckpt_path)).get(RUN_ID)
    if run_id is None:
        return {}
    client = open_store()
    try:
        run = find_run(client, run_id)
    except ValueError:  # the checkpoint was copied from another store
        return {}
    with open_stored_run(client, run) as stored:
        config = yaml.safe_load(stored.text(FILE) or "") or {}
    # These belong to the run, not to its repetition.
    return {key: value for key, value in config.items() if key not in ("ckpt_path", "recipe")}
