"""From the images that a dataset has to the images of each split."""

from collections.abc import Mapping, Sequence

import numpy as np
from lightning.pytorch.utilities import rank_zero_warn

from datamodules.label_fixes import with_fixes
from datamodules.options import Options
from datamodules.sources.source import UNLABELLED, ImageSource
from datamodules.splits.selection import limited, merge_labels, merged_names, without_classes
from datamodules.splits.settings import SplitSettings


def arrange(
    loaded: Mapping[str, ImageSource], found: Sequence[str], split: SplitSettings, options: Options
) -> dict[str, ImageSource]:
    """Merge classes, split off missing splits, correct labels, and select the training images.

    Labels are corrected after the split, which divides class by class: before it, each fix would
    move up to two other images to another split.

    Args:
        loaded: The `train` images, and `val`, `test` and `predict` if the dataset has them.
        found: Names of the dataset's classes, in the order of their indices.
        split: How to split off a validation or test set.
        options: Which classes to merge and to exclude, which labels to correct, how many images to
            train on.

    Returns:
        The images of `train` and `val`, of `test` unless `split.test` is 0, and of `predict` if
        the dataset has some.

    Raises:
        ValueError: If a class to train on has no image, an option names an unknown class, or a
            label cannot be corrected.
    """
    names = merged_names(found, options.merge_classes)
    merged = {k: merge_labels(s, found, options.merge_classes) for k, s in loaded.items()}
    sources = with_fixes(split.complete(merged, names), names, options.label_fixes)
    for part in ("train", "val"):
        sources[part] = without_classes(sources[part], names, options.exclude_classes)
    _check(sources, names, options.exclude_classes)
    sources["train"] = limited(sources["train"], options.limit_per_class, split.seed)
    return sources


def _check(
    sources: Mapping[str, ImageSource], names: Sequence[str], excluded: Sequence[str]
) -> None:
    """Refuse classes without training images; warn of copies in two splits and unscored classes."""
    counts = {
        part: np.bincount(source.labels[source.labels != UNLABELLED], minlength=len(names))
        for part, source in sources.items()
    }
    learned = [index for index, name in enumerate(names) if name not in excluded]
    if not learned:
        raise ValueError("options.exclude_classes leaves no class to train on.")
    if empty := [names[index] for index in learned if counts["train"][index] == 0]:
        raise ValueError(
            f"There is no training image of {', '.join(empty)}. Add some, or list these classes "
            "under options.exclude_classes."
        )
    groups = {part: set(source.groups) for part, source in sources.items()}
    for part in set(sources) & {"val", "test"}:
        if shared := len(groups["train"] & groups[part]):
            rank_zero_warn(
                f"Copies of {shared} originals are in both train and {part}, so that the scores of "
                f"{part} will be too high."
            )
    if unseen := [names[index] for index in learned if counts["val"][index] == 0]:
        rank_zero_warn(
            f"There is no validation image of {', '.join(unseen)}, and so no validation score."
        )
