"""`lightning_cli ui`: MLflow's pages on the store that the runs are in."""

import argparse
import subprocess
import sys

from lightning_app.store import ROOT, is_local, tracking_uri

HOST = "127.0.0.1"  # the store has no password: other machines must not see it


def open_ui(args: list[str]) -> None:
    """Serve the UI until it is interrupted.

    Args:
        args: The command line after `ui`.

    Raises:
        SystemExit: With 1 if there is no run yet, or the runs are on a server of their own.
    """
    parser = argparse.ArgumentParser("lightning_cli ui", description="Open the runs in a browser.")
    parser.add_argument("--port", type=int, default=5000)
    port = parser.parse_args(args).port
    uri = tracking_uri()
    if uri.startswith("http"):
        sys.exit(f"Your runs are on {uri}: open that address in a browser.")
    if is_local(uri) and not (ROOT / "mlflow.db").is_file():
        sys.exit(
            f"There is no run in {ROOT.resolve()} yet. Start one here with "
            "`lightning_cli fit --config configs/digits.yaml`, or go where yours are."
        )
    print(f"http://{HOST}:{port}/#/experiments?workflowType=machine_learning  (Ctrl-C ends it)")
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri]
    try:
        subprocess.run([*command, "--host", HOST, "--port", str(port)], check=True)
    except KeyboardInterrupt:
        print("Closed.")
    except subprocess.CalledProcessError as error:
        sys.exit(f"MLflow's server stopped with status {error.returncode}; see above.")
