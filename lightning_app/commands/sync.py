"""The command `lightning_cli sync`: send to MLflow what waits for it."""

import argparse
import logging

from lightning_app.store.locations import ROOT, is_local, spool_folder, tracking_uri
from lightning_app.store.offline import local_store, send_run, waiting_runs
from lightning_app.store.runs import name_with_id, open_store
from lightning_app.store.sent_spools import spools_of
from lightning_app.store.write_sender import WriteSender

DESCRIPTION = """\
Send what waits for MLflow: writes that fits could not send (mlruns/spool), those that MLflow has
refused, such as for a run that was deleted and is restored now, and runs that were trained with
--trainer.logger.offline true.
"""
LOCK_SECONDS = 10.0  # that it waits for a fit that is sending the same writes


def sync(args: list[str]) -> None:
    """Send all that waits, and print what was sent and what is left.

    Args:
        args: The command line after `sync`.

    Raises:
        ValueError: If offline runs wait, but no server is named.
        ConnectionError: If MLflow does not answer.
        SystemExit: With 1 if something is left.
    """
    argparse.ArgumentParser("lightning_cli sync", description=DESCRIPTION).parse_args(args)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    client = open_store()
    left = sent = 0
    for spool in spools_of(spool_folder(ROOT, tracking_uri())):
        spool.retry_refused()
        before = len(spool.waiting())
        WriteSender(client, spool).send(LOCK_SECONDS)
        remaining = len(spool.waiting()) + len(spool.refused())
        sent, left = sent + before - remaining, left + remaining
        spool.remove_if_empty()
    print(f"Sent        {sent} writes" + f", {left} are left" * bool(left))
    _send_runs()
    if left:
        raise SystemExit(1)


def _send_runs() -> None:
    local = local_store()
    runs = waiting_runs(local) if local else []
    if not runs or local is None:
        return
    uri = tracking_uri()
    if is_local(uri):
        raise ValueError(
            f"Runs that were trained offline and wait for a server: {len(runs)}. Set "
            "MLFLOW_TRACKING_URI to its address to send them."
        )
    server = open_store()
    for run in runs:
        run_id = send_run(local, run, server, uri, ROOT)
        print(f"Sent        {name_with_id(run)} as {run_id}")
