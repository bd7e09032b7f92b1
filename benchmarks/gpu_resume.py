"""A fit that is killed and resumed, with deterministic algorithms: equal to one that is not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from gpu_fit import TRAINER, fit
from gpu_machine import Settings
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from lightning_app.api.settings import as_arguments, as_config

EPOCHS, STEPS, SAVED, KILLED = 3, 10, 3, 17  # a checkpoint every third step; the last finished step
RESNET = {"class_path": "TorchvisionBackbone", "init_args": {"name": "resnet18"}}
SMALL = {"class_path": "SmallCNN", "init_args": {"width": 4}}


class Killed(Callback):
    """Kills the process after a step."""

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Kill it, unless the fit was resumed."""
        if trainer.global_step == KILLED:
            os.kill(os.getpid(), signal.SIGKILL)


def resume(settings: Settings) -> Iterator[dict[str, Any]]:
    """One row: tensors of the checkpoint that differ in a bit, weights and optimizer.

    Raises:
        RuntimeError: If the fit was not killed.
    """
    folders = {name: settings.folder / name for name in ("whole", "killed")}
    killed = start_and_kill(replace(settings, folder=folders["killed"]))
    if killed.returncode != -signal.SIGKILL:
        raise RuntimeError(f"The fit was not killed, but ended with {killed.returncode}.")
    seen = last_checkpoint(folders["killed"])["global_step"]
    fit(config_of(settings), replace(settings, folder=folders["killed"]), {"ckpt_path": "last"})
    fit(config_of(settings), replace(settings, folder=folders["whole"]))
    whole, resumed = (tensors(last_checkpoint(folder)) for folder in folders.values())
    different = [name for name in whole if not torch.equal(whole[name], resumed[name])]
    yield {
        "killed after step": KILLED,
        "resumed from step": seen,
        "steps": EPOCHS * STEPS,
        "tensors": len(whole),
        "different": len(different),
        "equal": whole.keys() == resumed.keys() and not different,
        "first different": next(iter(different), None),
    }


def config_of(settings: Settings) -> dict[str, Any]:
    """A network with batch norms and dropout, on images in memory."""
    size = 4 if settings.tiny else 32
    head = {"class_path": "Head", "init_args": {"dropout": 0.2}}
    # On a CPU, convolutions in bfloat16 can differ between two processes.
    precision = "bf16-mixed" if settings.device == "cuda" else "32-true"
    data = {"place": "memory", "num_images": STEPS * size, "batch_size": size, "num_val": 8}
    return {
        "data": {"class_path": "gpu_data.RepeatedImages", "init_args": data},
        "model": {
            "class_path": "ImageClassifier",
            "init_args": {"backbone": SMALL if settings.tiny else RESNET, "head": head},
        },
        "trainer": {"max_epochs": EPOCHS, "precision": precision, "deterministic": True},
        "last_checkpoint": {"every_n_train_steps": SAVED},
    }


def start_and_kill(settings: Settings) -> subprocess.CompletedProcess[bytes]:
    """Run the fit in a process of its own, which kills itself."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    config = config_of(settings)
    own = {"accelerator": settings.accelerator, "callbacks": [{"class_path": "gpu_resume.Killed"}]}
    config["trainer"] |= TRAINER | own | {"max_epochs": EPOCHS}
    plain = as_arguments({"pictures.budget": 0, "report": False, "log_model": False})
    command = [sys.executable, "-m", "lightning_app", "fit", as_config(config), *plain]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.run(command, cwd=settings.folder, env=environment, stdout=sys.stderr)


def last_checkpoint(folder: Path) -> dict[str, Any]:
    """The newest checkpoint of the fits in a folder."""
    [file] = folder.glob("mlruns/checkpoints/*/*/last.ckpt")
    return torch.load(file, weights_only=True, map_location="cpu")


def tensors(checkpoint: dict[str, Any]) -> dict[str, Tensor]:
    """Weights, statistics and the state of the optimizer, by name."""
    [optimizer] = checkpoint["optimizer_states"]
    state = {
        f"{key} of parameter {number}": value
        for number, values in optimizer["state"].items()
        for key, value in values.items()
        if isinstance(value, Tensor)
    }
    return checkpoint["state_dict"] | state
