"""Pictures and system metrics of a fit: what pictures cost, and what a run has of the GPU."""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gpu_fit import fit, run_id_of
from gpu_machine import Settings
from gpu_training import work_of

import lightning_app

BUDGET = 0.05  # the default
EPOCHS = 4
INTERVAL = "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"  # seconds; 10 are its default


def pictures(settings: Settings) -> Iterator[dict[str, Any]]:
    """One row: a short fit with all pictures, in seconds and in shares, and its GPU metrics.

    However short a fit is, pictures at its end may take some seconds (`END_SECONDS` of
    `picture_budget.py`), so that their share of a longer fit is lower.
    """
    os.environ[INTERVAL] = "1"
    settings = replace(settings, folder=settings.folder.resolve())
    work = work_of("ResNet-50", settings)
    size = work.batch_size * (3 if settings.tiny else 30)
    data = {
        "place": "memory",
        "num_images": size,
        "num_distinct": min(size, 512),
        "num_classes": 4 if settings.tiny else 20,
        "image_size": work.image_size,
        "batch_size": work.batch_size,
        "num_workers": 0 if settings.tiny else None,
        "num_val": 16 if settings.tiny else 512,
    }
    config = {
        "data": {"class_path": "gpu_data.RepeatedImages", "init_args": data},
        "model": {
            "class_path": "ImageClassifier",
            "init_args": {"backbone": work.backbone, "channels_last": True},
        },
        "trainer": {"precision": "bf16-mixed", "max_epochs": 2 if settings.tiny else EPOCHS},
    }
    budget = 0 if settings.tiny else BUDGET
    cli = fit(config, settings, {"pictures.budget": budget})
    yield row_of(run_id_of(cli), settings, budget)


def row_of(run_id: str, settings: Settings, budget: float) -> dict[str, Any]:
    """What the run says about its pictures, and about the GPU."""
    run = lightning_app.load(run_id, settings.folder / "mlruns")
    training = float(run.history("time/epoch").sum())
    spent = run.history("time/pictures").tolist() if budget else [0.0]
    metrics = sorted(name for name in run.metrics if name.startswith("system/gpu"))
    return {
        "training s": training,
        "pictures while training s": spent[-2] if len(spent) > 1 else 0.0,
        "pictures s": spent[-1],
        "share of training": spent[-1] / training,
        "budget": budget,
        "GPU metrics of the run": len(metrics),
        "names": ", ".join(name.removeprefix("system/") for name in metrics),
    }
