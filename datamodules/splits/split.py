"""Splits that are the same on every machine, and stay the same when images are added."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datamodules.sources.source import ImageSource


@dataclass(frozen=True)
class Split:
    """How images without a split of their own are shared out; same images on every machine.

    Attributes:
        val: Share of each class of the training images to validate on, in (0, 1).
        test: Share of each class of the training images to test on, in [0, 1); 0 for no test set.
        val_per_class: Images of each class to validate on, instead of a share.
        test_per_class: Images of each class to test on, instead of a share.
        val_last_n: Validate on the last so many images, in their order, instead of a share.
        test_last_n: Test on the last so many images, before the last to validate on are taken.
        seed: Another seed, another split. Not the run's seed, so that seeds can be compared.
    """

    val: float = 0.15
    test: float = 0.15
    val_per_class: int | None = None
    test_per_class: int | None = None
    val_last_n: int | None = None
    test_last_n: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers of images that are none."""
        for name in ("val_per_class", "test_per_class", "val_last_n", "test_last_n"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"split.{name} is {value}; expected 1 or more.")

    def complete(
        self, given: dict[str, ImageSource], class_names: Sequence[str]
    ) -> dict[str, ImageSource]:
        """Split the test and the validation images that the data lack off the training images.

        Raises:
            ValueError: If a share is out of its range, or more images are asked for than there are.
        """
        sources = dict(given)
        for name in ("test", "val"):
            if name not in sources and not (name == "test" and self._is_none(name)):
                stay, aside = self._parts(name, sources["train"], class_names)
                train = sources["train"]
                sources |= {"train": train.subset(stay), name: train.subset(aside)}
        return sources

    def _is_none(self, name: str) -> bool:
        return (getattr(self, name), *self._counts(name)) == (0, None, None)

    def _counts(self, name: str) -> tuple[int | None, int | None]:
        return getattr(self, f"{name}_per_class"), getattr(self, f"{name}_last_n")

    def _parts(
        self, name: str, train: ImageSource, class_names: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        per_class, last_n = self._counts(name)
        if per_class is not None and last_n is not None:
            raise ValueError(f"Give split.{name}_per_class or split.{name}_last_n, not both.")
        if last_n is not None:
            if not 0 < last_n < len(train):
                raise ValueError(
                    f"split.{name}_last_n is {last_n}; expected 1 to {len(train) - 1}, as there "
                    f"are {len(train)} images."
                )
            first = len(train) - last_n
            return np.arange(first), np.arange(first, len(train))
        # The salt keeps a validation set from being the start of the test set's order.
        salted = [f"{name}/{group}" for group in (train.groups or train.names)]
        share = getattr(self, name)
        if per_class is None and not 0 < share < 1:
            raise ValueError(f"Expected split.{name}, a share, to be in (0, 1), got {share}.")
        smallest = int(np.bincount(train.labels).argmin())
        if per_class is not None and (size := (train.labels == smallest).sum()) <= per_class:
            raise ValueError(
                f"split.{name}_per_class is {per_class}, but {class_names[smallest]} has only "
                f"{size} images."
            )
        return stratified_split(salted, train.labels, per_class or share, self.seed)


def hash_order(names: Sequence[str], seed: int) -> np.ndarray:
    """Indices in an order drawn from the names alone: not from their order, nor the platform."""
    keys = [hashlib.sha256(f"{seed}/{name}".encode()).digest() for name in names]
    return np.array(sorted(range(len(names)), key=keys.__getitem__), dtype=np.int64)


def stratified_split(
    groups: Sequence[str], labels: np.ndarray, amount: float | int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Set a part of each class aside, and never half a group.

    Args:
        groups: What each image is a copy of; its name where every image stands for itself.
        labels: Class index of each image, (N,).
        amount: What to set aside of each class: a share in (0, 1), of which it will be at least one
            image, or a number of images. Something of each class stays: a class that is a single
            group is not touched.
        seed: Another seed, another split.

    Returns:
        Sorted indices of the images that stay, and of those set aside.
    """
    members: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    names = list(members)
    of_class: dict[int, list[str]] = {}
    for position in hash_order(names, seed):
        # A group belongs to the class of its first image, even where another was filed elsewhere.
        of_class.setdefault(int(labels[members[names[position]][0]]), []).append(names[position])
    aside: list[int] = []
    for candidates in of_class.values():
        size = sum(len(members[group]) for group in candidates)
        wanted = amount if isinstance(amount, int) else max(1, round(amount * size))
        before = len(aside)
        for group in candidates[:-1]:
            if len(aside) - before >= wanted:
                break
            aside += members[group]
    stays = np.ones(len(labels), dtype=bool)
    stays[aside] = False
    return np.flatnonzero(stays), np.flatnonzero(~stays)


def spread(labels: np.ndarray, num_images: int) -> list[int]:
    """Indices of images spread evenly over the classes, ordered by class.

    Classes take turns until there are enough; with fewer images than classes, the classes are
    spread too.
    """
    members = [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]
    if num_images < len(members):
        chosen = np.linspace(0, len(members) - 1, num_images).round().astype(int)
        return [members[label][0] for label in chosen]
    rounds = range(max((len(images) for images in members), default=0))
    turns = [(turn, label) for turn in rounds for label, m in enumerate(members) if turn < len(m)]
    return [
        members[label][turn] for turn, label in sorted(turns[:num_images], key=lambda t: t[::-1])
    ]
