"""S3's convolutional and linear networks, trained until they reach their published accuracy."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from gpu_fit import fit, run_id_of
from gpu_machine import LeftOut, Settings

import lightning_app

CONFIGS = Path(__file__).parents[1] / "configs"
PUBLISHED = {"fer2013_cnn": 1229 / 2000, "fer2013_dnn": 777 / 2000}  # on the last 2,000 rows
SECONDS = 55  # of training each network at most
PIXELS, CLASSES = 48 * 48, 7


def faces(settings: Settings) -> Iterator[dict[str, Any]]:
    """A row per network: seconds and epochs until it reaches the accuracy, or the best that it did.

    Raises:
        LeftOut: If the training rows are not given: they are not part of this project.
    """
    if settings.faces is None and not settings.tiny:
        raise LeftOut(
            "needs S3's training rows: --faces FILE.csv with the columns label,feature, or "
            "Kaggle's fer2013.csv, which are not part of this project"
        )
    settings = replace(settings, folder=settings.folder.resolve())
    settings.folder.mkdir(parents=True, exist_ok=True)
    file = settings.faces or write_faces(settings.folder / "faces.csv")
    for name, accuracy in PUBLISHED.items():
        config = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
        config.pop("pictures")
        epochs = 1 if settings.tiny else config["trainer"]["max_epochs"]
        config["trainer"] = {
            "max_epochs": epochs,
            "max_time": f"00:00:00:{SECONDS}",
            "callbacks": [until(accuracy)],
        }
        split = {"data.split.val_last_n": CLASSES} if settings.tiny else {}
        cli = fit(config, settings, {"data.file": str(file.resolve()), **split})
        yield row_of(name, accuracy, run_id_of(cli), settings)


def until(accuracy: float) -> dict[str, Any]:
    """A callback that ends the fit once it is that accurate."""
    arguments = {
        "monitor": "val/accuracy",
        "mode": "max",
        "stopping_threshold": accuracy - 1e-6,
        "patience": 1000,
    }
    path = "lightning.pytorch.callbacks.EarlyStopping"
    return {"class_path": path, "init_args": arguments}


def row_of(config: str, accuracy: float, run_id: str, settings: Settings) -> dict[str, Any]:
    """When the validation accuracy was reached."""
    run = lightning_app.load(run_id, settings.folder / "mlruns")
    found, seconds = run.history("val/accuracy"), run.history("time/epoch")
    reached = [epoch for epoch, value in enumerate(found.tolist()) if value >= accuracy - 1e-6]
    epochs = (reached[0] + 1) if reached else len(found)
    return {
        "config": config,
        "published": accuracy,
        "best": float(found.max()),
        "reached": bool(reached),
        "epochs": epochs,
        "seconds": float(seconds.iloc[:epochs].sum()),
        "s/epoch": float(seconds.median()),
    }


def write_faces(file: Path, per_class: int = 6) -> Path:
    """Write a few rows of noise, in the layout of S3's."""
    draws = random.Random(0)
    rows = [
        f"{label},{' '.join(str(draws.randrange(256)) for _ in range(PIXELS))}"
        for _ in range(per_class)
        for label in range(CLASSES)
    ]
    file.write_text("\n".join(["label,feature", *rows]))
    return file
