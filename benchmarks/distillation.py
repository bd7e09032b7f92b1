"""What a linear probe gains by learning from the ensemble of five folds.

    uv run python benchmarks/distillation.py FOLDER WEIGHTS

FOLDER holds a folder per class, WEIGHTS the ImageNet weights of a SqueezeNet. Its features are
computed once. For each of five seeds, a fifth of the images is set aside; of the others, five
probes are fitted to four of five folds each, and their probabilities are averaged. A student learns
the mean of these and of the labels. Prints the accuracies, and the mean difference to a probe that
learns the labels alone, with its 95 % interval over the seeds.
"""

from pathlib import Path

import numpy as np
import torch
from results import options_of, publish
from scipy.stats import sem, t
from sklearn.model_selection import StratifiedKFold
from torch import Tensor, nn

from datamodules import ImageFolderDataModule, SplitSettings
from models import TorchvisionBackbone
from models.features import compute_features

LEFT_OUT = "needs images and the weights of a SqueezeNet"
SEEDS, FOLDS, PENALTY = 5, 5, 0.25  # PENALTY: of `fit_linear_probe`, as C = 0.01 of 400 images


def features_of(folder: Path, weights: Path) -> tuple[Tensor, Tensor]:
    """Features in units of their deviation, (N, D), and labels, (N,)."""
    settings = SplitSettings(val_per_class=1)
    data = ImageFolderDataModule(folder, image_size=128, num_workers=0, split=settings)
    data.sources["train"] = source = data.load()["train"]
    batches = data.plain_batches("train", range(len(source)))
    backbone = TorchvisionBackbone("squeezenet1_0", weights=weights)
    features = compute_features(backbone, batches, len(source))
    return features / (features.std(dim=0) + 1e-6), torch.from_numpy(source.labels)


def probe(features: Tensor, targets: Tensor) -> nn.Linear:
    """A logistic regression for probabilities as targets, (N, K)."""
    layer = nn.Linear(features.shape[1], targets.shape[1])
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        penalty = PENALTY / 2 * layer.weight.square().sum()
        value = nn.functional.cross_entropy(layer(features), targets) + penalty
        value.backward()
        return value

    optimizer.step(loss)  # pyright: ignore[reportArgumentType]
    return layer


def main() -> None:
    """Publish the accuracies and the differences."""
    parser = options_of(__doc__)
    parser.add_argument("folder", type=Path, help="a folder per class")
    parser.add_argument("weights", type=Path, help="ImageNet weights of a SqueezeNet")
    options = parser.parse_args()
    features, labels = features_of(options.folder, options.weights)
    hard = nn.functional.one_hot(labels).float()
    results: dict[str, list[float]] = {"labels": [], "ensemble": [], "student": []}
    for seed in range(SEEDS):
        split = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        known, new = next(split.split(features, labels))
        parts = split.split(features[known], labels[known])
        members = [probe(features[known[rows]], hard[known[rows]]) for rows, _ in parts]
        with torch.inference_mode():
            soft = torch.stack([m(features).softmax(dim=1) for m in members]).mean(dim=0)
        answers = {
            "labels": probe(features[known], hard[known])(features[new]),
            "ensemble": soft[new],
            "student": probe(features[known], (hard + soft)[known] / 2)(features[new]),
        }
        for name, scores in answers.items():
            results[name].append(float((scores.argmax(dim=1) == labels[new]).float().mean()))
    rows = [{"learns": name, "accuracy": float(np.mean(a))} for name, a in results.items()]
    for row in rows[1:]:
        gains = np.subtract(results[row["learns"]], results["labels"])
        low, high = t.interval(0.95, SEEDS - 1, np.mean(gains), sem(gains))
        row |= {"gain": float(np.mean(gains)), "interval": f"{low:+.3f} to {high:+.3f}"}
    publish("distillation", rows, options.out)


if __name__ == "__main__":
    main()
