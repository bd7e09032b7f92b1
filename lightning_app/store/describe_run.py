"""Facts about a stored run: its network, dataset, epochs, duration and environment, as text."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from statistics import median
from typing import Any

from lightning_app.store.stored_run import StoredRun

COMMIT, CHANGED = "mlflow.source.git.commit", "git.uncommitted_changes"  # tags of a run
MEMBERS = "members"  # tag and checkpoint of a network that was made of others: their runs
SPLITS = ("train", "val", "test", "predict")
OUT_OF_FOLD = "out_of_fold"  # images of all folds: a network that has not seen an image predicts it
PROBABILITY = "probability of "  # begins the columns of the classes in their table
PACKAGES = ("torch", "lightning", "torchvision", "timm", "mlflow")  # that determine the results
NO_VALUE = ("", "None", "[]", "{}")
OPTIMIZER_OPTIONS = ("lr", "weight_decay", "momentum")  # the ones shown, in this order


@dataclass(frozen=True)
class SplitSummary:
    """Summary of a split of the dataset, as the run recorded it.

    Attributes:
        name: `train`, `val`, `test` or `predict`.
        images: Number of images.
        counts: Number of images of each class.
        digest: Digest of the images and their labels.
    """

    name: str
    images: int
    counts: Mapping[str, int]
    digest: str


def splits_of(stored_run: StoredRun) -> list[SplitSummary]:
    """The splits of the run's latest fit; empty if the run failed before it recorded them."""
    found = {}
    inputs = stored_run.run.inputs.dataset_inputs if stored_run.run.inputs else []
    for dataset in (item.dataset for item in inputs):
        name = dataset.name.rsplit("/", 1)[-1]
        profile = json.loads(dataset.profile or "{}")
        found[name] = SplitSummary(
            name, profile.get("num_images", 0), profile.get("class_counts", {}), dataset.digest
        )
    return [found[name] for name in SPLITS if name in found]


def class_names_of(splits: Sequence[SplitSummary]) -> list[str]:
    """Names of the classes, in the order of the network's outputs."""
    return list(splits[0].counts) if splits else []


def describe_object(stored_run: StoredRun, name: str) -> str:
    """An object of the configuration: its class and its plain options, or empty.

    Options without a value are left out. Of a path, only the name of the file is shown.

    Args:
        stored_run: The run.
        name: Parameter of the run: `model.backbone` becomes
            `TimmBackbone (name resnet18, pretrained True)`.
    """
    path = stored_run.params.get(name)
    if path is None:
        return ""
    options = sorted(stored_run.options(name).items())
    plain = [(k, str(v)) for k, v in options if "." not in k and str(v) not in NO_VALUE]
    shown = [f"{key} {PurePath(v).name if PurePath(v).is_absolute() else v}" for key, v in plain]
    return _short(path) + (f" ({', '.join(shown)})" if shown else "")


def describe_optimizer(stored_run: StoredRun) -> str:
    """The optimizer with its most important options."""
    options = stored_run.options("model.optimizer")
    shown = [f"{key} {options[key]}" for key in OPTIMIZER_OPTIONS if key in options]
    return ", ".join([_short(stored_run.params.get("model.optimizer", "")), *shown]).strip(", ")


def describe_dataset(stored_run: StoredRun) -> str:
    """The datamodule, and the folder or file that it reads."""
    return name_dataset(stored_run.params.get("data", ""), stored_run.options("data"))


def name_dataset(class_path: str, options: Mapping[str, Any]) -> str:
    """A datamodule, and the folder or file that it reads, as `ImageFolder, photographs`.

    Args:
        class_path: Its class.
        options: Its settings.
    """
    places = [str(options[key]) for key in ("root", "file", "name") if options.get(key)]
    return ", ".join([_short(class_path).removesuffix("DataModule"), *places]).strip(", ")


def describe_augmentation(stored_run: StoredRun) -> str:
    """The augmentation preset, or the names of its transforms in order."""
    options = stored_run.options("data")
    if "augmentation" in options:
        return options["augmentation"]
    transforms = sorted(
        key for key in options if key.count(".") == 1 and key.startswith("augmentation.")
    )
    return ", ".join(_short(options[key]) for key in transforms)


def num_epochs(stored_run: StoredRun) -> int:
    """Number of completed epochs."""
    return max(stored_run.history("train/loss"), default=-1) + 1


def best_epoch(stored_run: StoredRun) -> tuple[str, int, float] | None:
    """The metric that chose the best checkpoint, its epoch, and the value there."""
    metric = stored_run.params.get("best_checkpoint.monitor", "")
    history = stored_run.history(metric) if metric in stored_run.metrics else {}
    if not history:
        return None
    choose = min if stored_run.params.get("best_checkpoint.mode") == "min" else max
    epoch = choose(history, key=lambda epoch: (history[epoch], -epoch))
    return metric, epoch, history[epoch]


def epoch_duration(stored_run: StoredRun) -> int:
    """Median training time of an epoch, in milliseconds; 0 if it was not measured."""
    return round(1000 * median(stored_run.history("time/epoch").values() or [0]))


def peak_memory(stored_run: StoredRun) -> tuple[float, str]:
    """Largest memory of training in MiB, 0 if it was not measured; and whose: `GPU` or `process`.

    See `callbacks.MemoryMonitor`.
    """
    values = stored_run.history("memory/peak").values()
    return max(values, default=0.0), stored_run.tags.get("memory.of", "process")


def duration(stored_run: StoredRun) -> int:
    """Time from start to end of the run, in milliseconds; 0 if it has not ended."""
    info = stored_run.run.info
    return info.end_time - info.start_time if info.end_time else 0


def training_time(stored_run: StoredRun) -> int:
    """Time of training without validation and pictures, in milliseconds.

    For a run of an earlier version, which did not measure it, that from start to end.
    """
    seconds = sum(stored_run.history("time/epoch").values())
    return round(1000 * seconds) or duration(stored_run)


def picture_time(stored_run: StoredRun) -> int:
    """Time that the pictures of the last fit took, in milliseconds; 0 if there were none."""
    return round(1000 * stored_run.metrics.get("time/pictures", 0.0))


def environment(stored_run: StoredRun) -> dict[str, str]:
    """Versions of Python and of the most important packages, and the device; empty if unknown."""
    lines = stored_run.text("config/environment.txt").splitlines()
    head = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    found = dict(line.split("==", 1) for line in lines if "==" in line and line[0] != "#")
    if not lines:
        return {}
    python = head[0].removeprefix("Python ").split()[0]
    packages = ", ".join(f"{name} {found[name]}" for name in PACKAGES if name in found)
    return {"python": python, "device": head[1] if len(head) > 1 else "", "packages": packages}


def _short(path: str) -> str:
    return path.rsplit(".", 1)[-1]
