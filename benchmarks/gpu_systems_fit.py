"""Fit and test of one published system: its row of the table."""

import argparse
from contextlib import chdir
from pathlib import Path
from statistics import median
from typing import Any

import torch
import yaml
from gpu_systems_data import System

import lightning_app
from datamodules import ImageDataModule
from lightning_app.api.settings import as_arguments
from lightning_app.cli import training_commands
from lightning_app.cli.classification_cli import ImageClassificationCLI
from lightning_app.store.run_recorder import run_logger_of
from lightning_app.store.run_scores import wilson

CONFIGS = Path(__file__).parents[1] / "configs"
PLAIN = {"pictures.budget": 0, "report": False, "trainer.enable_progress_bar": False}
ONE_BATCH = {"trainer.max_epochs": 1} | {
    f"trainer.limit_{split}_batches": 1 for split in ("train", "val", "test")
}
Row = dict[str, Any]


def measure(system: System, options: argparse.Namespace, seconds: float) -> Row:
    """Train a system for so many seconds at most, and test it."""
    file = CONFIGS / f"{system.config}.yaml"
    config = yaml.safe_load(file.read_text())
    settings = system.settings(getattr(options, system.data), config["data"]["init_args"], options)
    weights = weights_of(config["model"]["init_args"]["backbone"], options.weights)
    limits = ONE_BATCH if options.one_batch else {"trainer.max_time": duration(seconds)}
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with chdir(options.out):
        overrides = as_arguments(settings | weights | limits | PLAIN)
        cli = training_commands.run(["fit", f"--config={file}", *overrides])
        peak = torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else None
        logger = run_logger_of(cli.trainer)
        tested = lightning_app.evaluate(lightning_app.load((logger and logger.run_id) or ""))
        predictions, times = tested.predictions("test"), tested.history("time/epoch").tolist()
    pairs = zip(predictions["label"], predictions["predicted"], strict=True)
    correct = sum(label == predicted for label, predicted in pairs)
    low, high = wilson(correct / len(predictions), len(predictions))
    return training_of(cli, times) | {
        "weights": kind_of(weights),
        "correct": correct,
        "tested": len(predictions),
        "accuracy": correct / len(predictions),
        "low": low,
        "high": high,
        "peak GiB": peak,
    }


def training_of(cli: ImageClassificationCLI, times: list[float]) -> Row:
    """What was trained on, for how long, and how fast.

    Args:
        cli: A finished fit.
        times: Seconds of training in each epoch; a fit that was cut counts its last one, too.
    """
    trainer, data = cli.trainer, cli.datamodule
    assert isinstance(data, ImageDataModule)
    batches = int(trainer.num_training_batches)
    epochs = trainer.global_step / batches
    whole = times[: int(epochs)]
    seconds = median(whole) if whole else sum(times) / epochs
    images = len(data.sources["train"].labels)
    return {
        "images": images,
        "classes": data.num_classes,
        "epochs": epochs,
        "of": trainer.max_epochs,
        "seconds": sum(times),
        "s/epoch": seconds,
        "images/s": min(images, batches * data.batch_size) / seconds,
    }


def weights_of(backbone: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Settings of a pretrained network: its weights from a folder, or else random ones.

    Args:
        backbone: Its part of the configuration; one without pretrained weights needs no settings.
        folder: Its files begin with the name of their network: `resnet152-f82ba261.pth`.
    """
    arguments = backbone.get("init_args", {})
    if not arguments.get("pretrained"):
        return {}
    found = folder.glob(f"{arguments['name']}[-.]*")  # not resnet152_wide.pth
    files = sorted(file for file in found if file.suffix in (".pth", ".safetensors"))
    return {"model.backbone.weights": files[0]} if files else {"model.backbone.pretrained": False}


def kind_of(weights: dict[str, Any]) -> str | None:
    """What a network starts from: `pretrained`, `random`, or None if nothing else was meant."""
    if not weights:
        return None
    return "pretrained" if "model.backbone.weights" in weights else "random"


def duration(seconds: float) -> str:
    """Seconds as `trainer.max_time` takes them: days, hours, minutes, seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"00:{hours:02}:{minutes:02}:{rest:02}"
