"""Spools of other runs: what processes that have ended could not send."""

import threading
from collections.abc import Iterator
from pathlib import Path

from mlflow import MlflowClient

from lightning_app.store.spool import Spool
from lightning_app.store.write_sender import WriteSender


def spools_of(folder: Path) -> Iterator[Spool]:
    """The spools below the folder of a server; an earlier version had one for all runs."""
    yield Spool(folder)
    for path in sorted(folder.glob("*")):
        if path.is_dir():
            yield Spool(path)


def send_others(client: MlflowClient, folder: Path, run_id: str) -> None:
    """Send what waits for other runs, in the background; those that other processes send stay.

    Args:
        client: Client of the server.
        folder: Folder of the server's spools.
        run_id: The run whose spool is left out, as it is sent by its own logger.
    """
    others = [spool for spool in spools_of(folder) if spool.folder.name != run_id]
    if waiting := [spool for spool in others if spool.waiting() or any(spool.folder.glob("*.pkl"))]:
        threading.Thread(target=_send, args=(client, waiting), daemon=True).start()


def _send(client: MlflowClient, spools: list[Spool]) -> None:
    for spool in spools:
        if WriteSender(client, spool).send(lock_seconds=0):
            return  # MLflow is away, which the logger of this run says, too
        spool.remove_if_empty()
