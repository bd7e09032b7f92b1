"""Share of the pictures in a whole fit: seconds of training, of pictures, and what is reduced.

    uv run python benchmarks/fit_pictures.py

A real `lightning_cli fit`, in a process of its own and a folder that is deleted: a ResNet of timm
with random weights on photographs in six class folders. The seconds are those that the run has
recorded (`time/epoch`, `time/pictures`): wall time, since both sides are measured in one process.
"""

import subprocess
import sys
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import Any

from photographs import write_photographs
from results import options_of, publish

QUICK = ["--network", "resnet18", "--side", "64", "--images", "60", "--epochs", "2"]
CLASSES = 6


def fit(options: Namespace, folder: Path) -> None:
    """Train in the folder."""
    for label in range(CLASSES):
        write_photographs(folder / "photographs" / f"kind {label}", options.images // CLASSES)
    command = [sys.executable, "-m", "lightning_app", "fit", "photographs", "--recipe", "scratch"]
    command += ["--model.backbone", "TimmBackbone", "--model.backbone.name", options.network]
    command += ["--data.image_size", str(options.side), "--trainer.max_epochs", str(options.epochs)]
    command += ["--trainer.enable_progress_bar", "false", "--report", "false"]
    subprocess.run([*command, "--log_model", "false"], cwd=folder, check=True, stdout=sys.stderr)


def measured(folder: Path) -> dict[str, Any]:
    """Seconds of training and of pictures, and which were reduced, as the run has recorded them."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    places = [experiment.experiment_id for experiment in client.search_experiments()]
    [run] = client.search_runs(places)
    epochs = client.get_metric_history(run.info.run_id, "time/epoch")
    training, pictures = sum(each.value for each in epochs), run.data.metrics["time/pictures"]
    names = ("smaller", "not_drawn")
    reduced = {name.replace("_", " "): run.data.tags.get(f"pictures.{name}", "") for name in names}
    return {"training s": training, "pictures s": pictures, "share": pictures / training} | reduced


def main() -> None:
    """Publish one row."""
    parser = options_of(__doc__)
    parser.add_argument("--network", default="resnet50", help="of timm")
    parser.add_argument("--side", type=int, default=224, help="of the images, in pixels")
    parser.add_argument("--images", type=int, default=192, help="four fifths of them train")
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fit(options, Path(folder))
        row = measured(Path(folder))
    about = {"network": options.network, "side": options.side, "epochs": options.epochs}
    publish("fit_pictures", [about | row], options.out)


if __name__ == "__main__":
    main()
