"""Fixtures for tests of the logged model: one fit and test that all of them share."""

import io
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mlflow import MlflowClient
from PIL import Image

from lightning_app.cli.networks.exportable import Exportable
from lightning_app.main import main

SIDE = 16
CONFIG = {
    "data": {
        "class_path": "ImageFolderDataModule",
        "init_args": {
            "root": "images",
            "image_size": SIDE,
            "batch_size": 8,
            "num_workers": 0,
        },
    },
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {
            "backbone": {"class_path": "SmallCNN", "init_args": {"width": 4, "num_channels": 3}},
            "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 3e-3}},
        },
    },
    "trainer": {
        "max_epochs": 2,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "log_every_n_steps": 1,
        "logger": {"init_args": {"experiment_name": "shipping", "run_name": "net"}},
    },
}
PLAIN = ["--config", "config.yaml", "--pictures", "false", "--report=false"]


@pytest.fixture(scope="session")
def shipped(in_new_folder):
    """A run whose model is logged: its folder, what the fit printed, client, run and model."""
    with in_new_folder("shipping", CONFIG) as folder, redirect_stdout(io.StringIO()) as output:
        _write_photographs(folder)
        main(["fit", *PLAIN, "--log_model=true"])
        main(["test", *PLAIN, "--ckpt_path=best"])
        client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
        [run] = client.search_runs([client.get_experiment_by_name("shipping").experiment_id])
        [output_of_run] = run.outputs.model_outputs
        source = Exportable("best")
        return SimpleNamespace(
            folder=folder,
            printed=output.getvalue(),
            client=client,
            run=run,
            model=client.get_logged_model(output_of_run.model_id),
            photograph=folder / "photo.png",
            expected=_probabilities(source, folder / "photo.png"),
            class_names=source.source.class_names,
        )


def _write_photographs(folder: Path) -> None:
    """Three classes that differ in colour, and another image that needs no resizing."""
    random = np.random.default_rng(0)
    for place, name in enumerate(("blue", "green", "red")):
        for number in range(24):
            pixels = random.integers(0, 160, (SIDE, SIDE, 3))
            pixels[..., 2 - place] += 95
            file = folder / "images" / name / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(file)
    pixels = random.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(folder / "photo.png")


def _probabilities(source: Exportable, file: Path) -> list[float]:
    """Probabilities of the checkpoint for an image."""
    import torch

    pixels = torch.from_numpy(np.asarray(Image.open(file)).transpose(2, 0, 1).copy())
    with torch.inference_mode():
        return source.network(pixels[None])[0][0].tolist()
