"""What was trained on what, read from the record of a run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from lightning_app.store.stored_run import StoredRun

COMMIT, CHANGED = "mlflow.source.git.commit", "git.uncommitted_changes"  # tags
SPLITS = ("train", "val", "test", "predict")
PACKAGES = ("torch", "lightning", "torchvision", "timm", "mlflow")  # that decide what comes out
OFTEN_CHANGED = ("lr", "weight_decay", "momentum")  # of an optimizer


@dataclass(frozen=True)
class Split:
    """Images of a split.

    Attributes:
        name: Of the split.
        images: How many there are.
        counts: How many of each class.
        digest: Of the images and their labels.
    """

    name: str
    images: int
    counts: Mapping[str, int]
    digest: str


def splits_of(record: StoredRun) -> list[Split]:
    """The splits as the newest fit of the run had them; none of a run that failed before."""
    found = {}
    inputs = record.run.inputs.dataset_inputs if record.run.inputs else []
    for dataset in (item.dataset for item in inputs):
        name = dataset.name.rsplit("/", 1)[-1]
        profile = json.loads(dataset.profile or "{}")
        found[name] = Split(
            name, profile.get("num_images", 0), profile.get("class_counts", {}), dataset.digest
        )
    return [found[name] for name in SPLITS if name in found]


def class_names(splits: Sequence[Split]) -> list[str]:
    """The classes, in the order of the network's outputs."""
    return list(splits[0].counts) if splits else []


def network(record: StoredRun) -> str:
    """`TimmBackbone (name resnet18, pretrained True)`."""
    return described(record, "model.backbone")


def described(record: StoredRun, name: str) -> str:
    """A setting that is an object: its class, and its own settings but for objects in it."""
    path = record.params.get(name)
    if path is None:
        return ""
    options = [
        f"{key} {value}" for key, value in sorted(record.options(name).items()) if "." not in key
    ]
    return _short(path) + (f" ({', '.join(options)})" if options else "")


def optimizer(record: StoredRun) -> str:
    """The optimizer with what is most often changed of it."""
    options = record.options("model.optimizer")
    shown = [
        f"{key} {options[key]}" for key in ("lr", "weight_decay", "momentum") if key in options
    ]
    return ", ".join([_short(record.params.get("model.optimizer", "")), *shown]).strip(", ")


def data(record: StoredRun) -> str:
    """The data module, and the folder or file that it reads."""
    options = record.options("data")
    places = [options[key] for key in ("root", "file", "name") if key in options]
    name = _short(record.params.get("data", "")).removesuffix("DataModule")
    return ", ".join([name, *places]).strip(", ")


def augmentation(record: StoredRun) -> str:
    """The preset, or the transforms one after another."""
    options = record.options("data")
    if "augmentation" in options:
        return options["augmentation"]
    listed = sorted(
        key for key in options if key.count(".") == 1 and key.startswith("augmentation.")
    )
    return ", ".join(_short(options[key]) for key in listed)


def num_epochs(record: StoredRun) -> int:
    """Epochs that were trained to their end."""
    return max(record.history("train/loss"), default=-1) + 1


def best_epoch(record: StoredRun) -> tuple[str, int, float] | None:
    """By which metric the best checkpoint was chosen, its epoch, and the value there."""
    metric = record.params.get("best_checkpoint.monitor", "")
    history = record.history(metric) if metric in record.metrics else {}
    if not history:
        return None
    choose = min if record.params.get("best_checkpoint.mode") == "min" else max
    epoch = choose(history, key=lambda epoch: (history[epoch], -epoch))
    return metric, epoch, history[epoch]


def epoch_time(record: StoredRun) -> int:
    """Median milliseconds that an epoch trained; 0 if that was not measured."""
    return round(1000 * median(record.history("time/epoch").values() or [0]))


def took(record: StoredRun) -> int:
    """Milliseconds from the start of a run to its end; 0 if it has none."""
    info = record.run.info
    return info.end_time - info.start_time if info.end_time else 0


def environment(record: StoredRun) -> dict[str, str]:
    """Python, the device, and the packages that decide what comes out."""
    lines = record.text("config/environment.txt").splitlines()
    head = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
    found = dict(line.split("==", 1) for line in lines if "==" in line and line[0] != "#")
    if not lines:
        return {}
    python = head[0].removeprefix("Python ").split()[0]
    packages = ", ".join(f"{name} {found[name]}" for name in PACKAGES if name in found)
    return {"python": python, "device": head[1] if len(head) > 1 else "", "packages": packages}


def _short(path: str) -> str:
    return path.rsplit(".", 1)[-1]
