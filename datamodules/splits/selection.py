"""Selection of classes, and of how many images of each to train on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from datamodules.sources.source import UNLABELLED, ImageSource
from datamodules.splits.stratified import hash_order


def merged_names(class_names: Sequence[str], merge: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Class names after merging; a merged class takes the place of its first member.

    Raises:
        ValueError: If a class is unknown or merged twice, or a new name is taken already.
    """
    parts = [part for members in merge.values() for part in members]
    check_known(parts, class_names, "merge_classes")
    if twice := sorted({part for part in parts if parts.count(part) > 1}):
        raise ValueError(
            f"merge_classes names {', '.join(twice)} twice; a class can be part of one."
        )
    if taken := sorted((set(class_names) - set(parts)) & set(merge)):
        raise ValueError(
            f"merge_classes makes {', '.join(taken)}, which is a class already; choose another "
            f"name, or merge that class, too: {{{taken[0]}: [{taken[0]}, …]}}."
        )
    target = {part: new for new, members in merge.items() for part in members}
    return tuple(dict.fromkeys(target.get(name, name) for name in class_names))


def merge_labels(
    source: ImageSource, class_names: Sequence[str], merge: Mapping[str, Sequence[str]]
) -> ImageSource:
    """The images, labelled with the indices of the merged classes."""
    if not merge:
        return source
    target = {part: new for new, members in merge.items() for part in members}
    merged = merged_names(class_names, merge)
    table = np.array([merged.index(target.get(name, name)) for name in class_names])
    labels = np.where(source.labels == UNLABELLED, UNLABELLED, table[source.labels])
    return replace(source, labels=labels.astype(np.int64))


def without_classes(
    source: ImageSource, class_names: Sequence[str], excluded: Sequence[str]
) -> ImageSource:
    """The images of the classes that are not excluded.

    Raises:
        ValueError: If a class is unknown.
    """
    check_known(excluded, class_names, "exclude_classes")
    labels = [class_names.index(name) for name in excluded]
    return source.subset(np.flatnonzero(~np.isin(source.labels, labels)))


def limited(source: ImageSource, per_class: int | None, seed: int) -> ImageSource:
    """At most `per_class` images of each class, chosen by their names."""
    if per_class is None:
        return source
    order = hash_order((f"limit/{name}" for name in source.names), seed)
    kept = [order[source.labels[order] == label][:per_class] for label in set(source.labels)]
    return source.subset(np.sort(np.concatenate(kept)))


def check_known(names: Sequence[str], class_names: Sequence[str], option: str) -> None:
    """Refuse unknown class names.

    Raises:
        ValueError: If a name is not a class.
    """
    if unknown := sorted(set(names) - set(class_names)):
        raise ValueError(
            f"{option} names {', '.join(unknown)}; the classes are {', '.join(class_names)}."
        )
