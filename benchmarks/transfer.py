"""Accuracy of transfer learning, compared with scikit-learn and fastai.

    uv run python benchmarks/transfer.py --data simpsons20=PATH scenes=PATH
        --networks squeezenet1_0=FILE.pth tf_efficientnet_lite0 [--fastai PYTHON] [--out DIR]

Every method sees the same images: training and validation images of a split that the seed chooses,
and test images that are looked at once. `scikit-learn` is a logistic regression on the standardised
features of the frozen network, whose strength is chosen by cross-validation on the training images.
`probe` and `fine-tuned` are `lightning_cli fit` with the recipes of the same names and then `test`.
`fastai` is `fine_tune(10)` by the Python of an environment of its own, since its dependencies
conflict with ours: `uv venv DIR; uv pip install --python DIR/bin/python fastai`. A result that is
in `DIR/results.csv` is not measured again, so the script can be stopped and started.
"""

import argparse
import csv
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean
from typing import Any

import cv2
import numpy as np
import timm
import torch
import yaml
from sklearn.linear_model import LogisticRegressionCV
from sklearn.preprocessing import StandardScaler

import lightning_app
from callbacks.frozen_features import frozen_features
from datamodules import DigitsDataModule, ImageDataModule, ImageFolderDataModule, SplitSettings
from datamodules.sources.files import FileReader
from datamodules.sources.source import ImageSource
from lightning_app.commands.probe.probed_networks import build_backbone

LEFT_OUT = "compares accuracies for hours; needs images and weights"
RECIPES = Path(lightning_app.__file__).parent / "recipes"
METHODS = {"scikit-learn": None, "probe": "probe", "fine-tuned": "transfer", "fastai": None}
COLUMNS = ("data", "network", "seed", "method", "correct", "images", "seconds")
STRENGTHS = np.logspace(-4, 1, 6)
FASTAI = Path(__file__).with_name("transfer_fastai.py")

Key = tuple[str, str, str, str]


def main() -> None:
    """Measure what is not measured yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", default=["digits"], help="NAME=FOLDER, or digits")
    parser.add_argument("--networks", nargs="+", default=["tf_efficientnet_lite0"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=[*METHODS])
    parser.add_argument("--image_size", type=int, default=128)
    parser.add_argument("--fastai", type=Path, help="Python of an environment with fastai")
    parser.add_argument("--out", type=Path, default=Path("transfer_results"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.fastai is None and "fastai" in options.methods:
        print("fastai is not measured: give the Python of its environment with --fastai.")
    results = read_results(options.out / "results.csv")
    for data, network, seed, method in plan(options):
        key = (data, network, str(seed), method)
        if key not in results:
            started = time.perf_counter()
            correct, images = measure(data, network, seed, method, options)
            results[key] = (correct, images)
            seconds = time.perf_counter() - started
            append(options.out / "results.csv", (*key, correct, images, f"{seconds:.0f}"))
            print(*key, f"{correct} of {images}", flush=True)
    print_table(results)


def plan(options: argparse.Namespace) -> Iterator[tuple[str, str, int, str]]:
    """What to measure, the cheapest first."""
    for method in options.methods:
        if method == "fastai" and options.fastai is None:
            continue
        for seed in options.seeds:
            for data in options.data:
                for network in options.networks:
                    yield data, network, seed, method


def datamodule(data: str, seed: int, size: int) -> ImageDataModule:
    """The images, split by the seed where the dataset has no splits of its own."""
    split, folder = SplitSettings(seed=seed), data.partition("=")[2]
    if data == "digits":  # whose splits are larger than those of folders, as in `recipe`
        return DigitsDataModule(size, split=SplitSettings(val=0.2, test=0.2, seed=seed))
    return ImageFolderDataModule(Path(folder), image_size=size, num_workers=0, split=split)


def measure(
    data: str, network: str, seed: int, method: str, options: argparse.Namespace
) -> tuple[int, int]:
    """Number of test images that are classified correctly, and number of all of them."""
    images = datamodule(data, seed, options.image_size)
    if method == "scikit-learn":
        return logistic_regression(images, network)
    if method == "fastai":
        return fastai(images, network, seed, options)
    config = recipe(METHODS[method] or "", data, network, seed, options)
    run = lightning_app.evaluate(lightning_app.fit(config))
    table = run.predictions("test")
    return int((table.label == table.predicted).sum()), len(table)


def logistic_regression(images: ImageDataModule, network: str) -> tuple[int, int]:
    """Scikit-learn's logistic regression on the features of a frozen network."""
    torch.manual_seed(0)
    backbone = build_backbone(network, images)
    features, labels = {}, {}
    for split in ("train", "test"):
        features[split] = frozen_features(images, backbone, split).numpy()
        labels[split] = images.sources[split].labels
    scaler = StandardScaler().fit(features["train"])
    model = LogisticRegressionCV(Cs=STRENGTHS.tolist(), cv=5, max_iter=1000, scoring="neg_log_loss")
    model.fit(scaler.transform(features["train"]), labels["train"])
    correct = model.predict(scaler.transform(features["test"])) == labels["test"]
    return int(correct.sum()), len(correct)


def recipe(
    name: str, data: str, network: str, seed: int, options: argparse.Namespace
) -> dict[str, Any]:
    """The configuration of a recipe for a dataset and a network."""
    config = yaml.safe_load((RECIPES / f"{name}.yaml").read_text())
    chosen, _, folder = data.partition("=")
    settings = config["data"]["init_args"]
    settings |= {"image_size": options.image_size, "num_workers": 0, "split": {"seed": seed}}
    if data != "digits":
        settings["root"] = folder
    elif settings["augmentation"] != "none":
        settings["augmentation"] = "glyphs"  # which are not mirrored
    kind = "DigitsDataModule" if data == "digits" else "ImageFolderDataModule"
    config["data"] = {"class_path": kind, "init_args": settings}
    called, _, file = network.partition("=")
    config["model"]["init_args"]["backbone"] = {
        "class_path": "TimmBackbone" if timm.is_model(called) else "TorchvisionBackbone",
        "init_args": {"name": called, "weights": file or None, "pretrained": not file},
    }
    trainer: dict[str, Any] = {
        "enable_progress_bar": False,
        "logger": {"init_args": {"experiment_name": f"transfer_{chosen}"}},
    }
    plain = {"seed_everything": seed, "pictures": {"budget": 0}, "report": False}
    return config | plain | {"trainer": config["trainer"] | trainer}


def fastai(
    images: ImageDataModule, network: str, seed: int, options: argparse.Namespace
) -> tuple[int, int]:
    """Fastai's `fine_tune(10)` on the same images, by a process of its own."""
    files: dict[str, Any] = {"network": network, "seed": seed, "size": options.image_size}
    for split in ("train", "val", "test"):
        source = images.sources[split]
        folder = options.out / "images" / str(seed) / split
        paths = [image_file(source, index, folder) for index in range(len(source))]
        files[split] = [*zip(paths, source.labels.tolist(), strict=True)]
    plan_file = options.out / "fastai.json"
    plan_file.write_text(json.dumps(files))
    command = [str(options.fastai), str(FASTAI), str(plan_file)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    correct, total = printed.split()[-2:]
    return int(correct), int(total)


def image_file(source: ImageSource, index: int, folder: Path) -> str:
    """Path of an image, which is written to a folder if it is in memory."""
    reader, row = source.reader, int(source.rows[index])
    if isinstance(reader, FileReader):
        return str(reader.root / reader.paths[row])
    folder.mkdir(parents=True, exist_ok=True)
    file = folder.resolve() / f"{index}.png"
    cv2.imwrite(str(file), source.read(index)[..., ::-1])
    return str(file)


def read_results(file: Path) -> dict[Key, tuple[int, int]]:
    """Results of earlier starts."""
    rows = csv.reader(file.read_text().splitlines()[1:]) if file.is_file() else []
    return {(d, w, s, m): (int(correct), int(images)) for d, w, s, m, correct, images, _ in rows}


def append(file: Path, row: tuple[Any, ...]) -> None:
    """Add a result, below the names of the columns."""
    new = not file.is_file()
    with file.open("a", newline="") as stream:
        csv.writer(stream).writerows([COLUMNS, row] if new else [row])


def print_table(results: dict[Key, tuple[int, int]]) -> None:
    """Print accuracies as a Markdown table: the mean over the seeds, and each seed."""
    methods = list(dict.fromkeys(method for *_, method in results))
    print(f"\n| data | network | {' | '.join(methods)} |")
    print(f"|---|---|{'--:|' * len(methods)}")
    for data, network in dict.fromkeys((data, network) for data, network, *_ in results):
        cells = []
        for method in methods:
            of = [
                c / n
                for (d, w, _, m), (c, n) in results.items()
                if (d, w, m) == (data, network, method)
            ]
            each = ", ".join(f"{value:.2f}" for value in of)
            cells.append(f"{mean(of):.3f} ({each})" if of else "")
        print(f"| {data.partition('=')[0]} | {network.partition('=')[0]} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
