"""The command `lightning_cli ui`: the MLflow UI for the store of the runs."""

import argparse
import os
import signal
import socket
import subprocess
import sys

from datamodules.redaction import redact_text
from lightning_app.store.locations import ROOT, is_local, tracking_uri

HOST = "127.0.0.1"  # the store has no password, so other machines must not reach it
START = "/#/experiments?workflowType=machine_learning"
QUIET = "--log-level warning"


def open_ui(args: list[str]) -> None:
    """Serve the UI until it is interrupted.

    Args:
        args: The command line after `ui`.

    Raises:
        SystemExit: With 1 if there is no run yet, or the runs are on an MLflow server.
    """
    parser = argparse.ArgumentParser(
        "lightning_cli ui", description="Serve the MLflow UI for your browser."
    )
    parser.add_argument("--port", type=int, default=5000, help="Port of the server (5000).")
    port = parser.parse_args(args).port
    uri = tracking_uri()
    if uri.startswith("http"):
        address = redact_text(uri)
        sys.exit(f"The runs are on the MLflow server {address}: open this address in a browser.")
    if is_local(uri) and not (ROOT / "mlflow.db").is_file():
        sys.exit(
            f"There is no run in {ROOT.resolve()} yet. Start one with `lightning_cli fit --config "
            "configs/digits.yaml`, or change to the folder of your runs."
        )
    _check_port(port)
    options = ["--backend-store-uri", uri, "--host", HOST, "--port", str(port), "--workers", "1"]
    command = [sys.executable, "-m", "mlflow", "server", *options, "--uvicorn-opts", QUIET]
    # SIGTERM ends the server, too, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # MLflow's job runners, nine processes, serve its language-model features.
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with subprocess.Popen(command, env=environment) as server:
        try:
            address = _newest_experiment(uri, port)
            print(f"Open {address} in a browser  (Ctrl-C stops the server)", flush=True)
            status = server.wait()
        except KeyboardInterrupt:
            status = 0
            server.terminate()
    if status:
        sys.exit(f"MLflow's server stopped with status {status}.")


def _check_port(port: int) -> None:
    """Exit if the port is taken: MLflow would end with status 0 then."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            sys.exit(f"Port {port} cannot be used ({error}); choose another with --port.")


def _newest_experiment(uri: str, port: int) -> str:
    """Address of the experiment that was used last, with a view that shows its pictures first."""
    # These take seconds to import, while the server starts.
    from mlflow import MlflowClient

    from lightning_app.store.ui_view import TAG, open_at_last_epoch, view_path

    client = MlflowClient(uri)
    newest = client.search_experiments(max_results=1, order_by=["last_update_time DESC"])
    shown = [experiment.experiment_id for experiment in newest if TAG in experiment.tags]
    if not shown:
        return f"http://{HOST}:{port}{START}"
    open_at_last_epoch(client, shown[0])
    address = f"http://{HOST}:{port}"
    print(f"List of runs  {address}{view_path(shown[0], 'TABLE')}", flush=True)
    return f"{address}{view_path(shown[0])}"
