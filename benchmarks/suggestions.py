"""What labels that `suggest` asks for are worth, beside labels of random images.

    uv run python benchmarks/suggestions.py FOLDER WEIGHTS

FOLDER holds `train/` and `test/` with a folder per class, WEIGHTS the ImageNet weights of a
SqueezeNet. Its features are computed once. A linear probe is fitted to a few labelled training
images, 60 others are chosen and labelled, and the probe is fitted anew. Prints the accuracy on the
test images before and after, for each way to choose, and the mean difference to random images with
its standard error. Then it does the same with pseudo-labels: the probe labels the other training
images itself, and those of which it is surer than 0.6 are added.
"""

from pathlib import Path

import numpy as np
import torch
from results import options_of, publish
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from datamodules import ImageFolderDataModule, SplitSettings
from models import TorchvisionBackbone
from models.evaluation.active_learning import choose_images
from models.features import compute_features

LEFT_OUT = "needs images and the weights of a SqueezeNet"
FIRST, CHOSEN, SEEDS, SURE = 5, 60, 5, 0.6  # FIRST: labelled images of each class at the start
WAYS = ("random", "margin", "diversity", "both")


def features_of(folder: Path, weights: Path) -> dict[str, tuple[Tensor, np.ndarray]]:
    """Features and labels of each split."""
    settings = SplitSettings(val_per_class=1)
    data = ImageFolderDataModule(folder, image_size=128, num_workers=0, split=settings)
    sources = data.load()
    backbone = TorchvisionBackbone("squeezenet1_0", weights=weights)
    found = {}
    for split in ("train", "test"):
        data.sources[split] = sources[split]
        size = len(sources[split])
        batches = data.plain_batches(split, range(size))
        found[split] = compute_features(backbone, batches, size), sources[split].labels
    return found


def main() -> None:
    """Publish the accuracies."""
    parser = options_of(__doc__)
    parser.add_argument("folder", type=Path, help="holds train/ and test/")
    parser.add_argument("weights", type=Path, help="ImageNet weights of a SqueezeNet")
    options = parser.parse_args()
    found = features_of(options.folder, options.weights)
    (features, labels), (test, answers) = found["train"], found["test"]
    scale = features.std(dim=0) + 1e-6
    features, test = features / scale, test / scale

    def probe(rows: np.ndarray, own: np.ndarray) -> LogisticRegression:
        return LogisticRegression(C=0.01, max_iter=300).fit(features[rows].numpy(), own)

    results: dict[str, list[float]] = {}
    for seed in range(SEEDS):
        draws = np.random.default_rng(seed)
        mixed = draws.permutation(len(labels))
        known = np.concatenate([mixed[labels[mixed] == c][:FIRST] for c in np.unique(labels)])
        rest = np.setdiff1d(mixed, known)
        first = probe(known, labels[known])
        results.setdefault("before", []).append(first.score(test.numpy(), answers))
        scores = torch.from_numpy(first.predict_proba(features[rest].numpy()))
        for way in WAYS:
            if way == "random":
                chosen = draws.permutation(len(rest))[:CHOSEN]
            else:
                chosen = choose_images(scores, features[rest], CHOSEN, way).numpy()
            rows = np.concatenate([known, rest[chosen]])
            score = probe(rows, labels[rows]).score(test.numpy(), answers)
            results.setdefault(way, []).append(score)
        sure = (scores.max(dim=1).values > SURE).numpy()
        rows = np.concatenate([known, rest[sure]])
        guessed = np.concatenate([labels[known], scores.argmax(dim=1).numpy()[sure]])
        score = probe(rows, guessed).score(test.numpy(), answers)
        results.setdefault("pseudo-labels", []).append(score)
    rows = []
    for name, accuracies in results.items():
        base = results["before" if name == "pseudo-labels" else "random"]
        gains = np.subtract(accuracies, base)
        error = gains.std(ddof=1) / SEEDS**0.5
        row = {"way": name, "accuracy": float(np.mean(accuracies)), "gain": float(gains.mean())}
        rows.append(row | {"standard error": float(error)})
    publish("suggestions", rows, options.out)


if __name__ == "__main__":
    main()
