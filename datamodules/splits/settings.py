"""Split settings: how images without a split of their own are divided into splits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datamodules.sources.source import ImageSource
from datamodules.sources.text_array import TextArray
from datamodules.splits.folds import assign_folds
from datamodules.splits.stratified import stratified_split


@dataclass(frozen=True)
class SplitSettings:
    """How to split off a validation and a test set; the result is the same on every machine.

    The split of an image is drawn from its name, so it barely changes when images are added.

    Attributes:
        val: Share of each class of the training images to validate on, in (0, 1).
        test: Share of each class of the training images to test on, in [0, 1); 0 for no test set.
        val_per_class: Images of each class to validate on, instead of a share.
        test_per_class: Images of each class to test on, instead of a share.
        val_last_n: Validate on the last n images, in their order, instead of a share.
        test_last_n: Test on the last n images, instead of a share; those to validate on come
            before them.
        seed: Another seed gives another split. It is not the seed of the run, so that runs of
            different seeds can be compared.
        folds: Divide the images that are not tested on into this many folds, for cross-validation
            (`lightning_cli folds`). The test set is the same for all.
        fold: The fold to validate on, from 0; the others are trained on.
    """

    val: float = 0.15
    test: float = 0.15
    val_per_class: int | None = None
    test_per_class: int | None = None
    val_last_n: int | None = None
    test_last_n: int | None = None
    seed: int = 0
    folds: int | None = None
    fold: int | None = None

    def __post_init__(self) -> None:
        """Refuse numbers of images below 1, and folds that do not exist."""
        for name in ("val_per_class", "test_per_class", "val_last_n", "test_last_n"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"split.{name} is {value}; expected 1 or more.")
        self._check_folds()

    def _check_folds(self) -> None:
        if self.folds is None and self.fold is None:
            return
        if self.folds is None or self.folds < 2:
            raise ValueError(f"split.folds is {self.folds}; expected 2 or more.")
        if self.fold is None or not 0 <= self.fold < self.folds:
            raise ValueError(
                f"split.fold is {self.fold}; expected 0 to {self.folds - 1}, as there are "
                f"{self.folds} folds."
            )
        for name in ("val_per_class", "val_last_n"):
            if getattr(self, name) is not None:
                raise ValueError(f"Give split.folds or split.{name}, not both.")

    def complete(
        self, given: dict[str, ImageSource], class_names: Sequence[str]
    ) -> dict[str, ImageSource]:
        """Split a missing test set and a missing validation set off the training images.

        Args:
            given: The `train` images, and those of the splits that exist already.
            class_names: Names of the classes, for messages.

        Raises:
            ValueError: If a share is out of its range, more images are asked for than there are, or
                a dataset with validation images of its own is to be divided into folds.
        """
        if self.folds and "val" in given:
            raise ValueError(
                "The dataset has validation images of its own, which no fold would use. Move them "
                "to the training images, or leave split.folds out."
            )
        sources = dict(given)
        for name in ("test", "val"):
            if name not in sources and not (name == "test" and self._is_none(name)):
                train = sources["train"]
                stay, aside = self._divide(name, train, class_names)
                sources |= {"train": train.subset(stay), name: train.subset(aside)}
        return sources

    def _is_none(self, name: str) -> bool:
        return (getattr(self, name), *self._counts(name)) == (0, None, None)

    def _counts(self, name: str) -> tuple[int | None, int | None]:
        return getattr(self, f"{name}_per_class"), getattr(self, f"{name}_last_n")

    def _divide(
        self, name: str, train: ImageSource, class_names: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Indices of the images that stay in training, and of those set aside."""
        if name == "val" and self.folds:
            return self._fold_of(train, self.folds, class_names)
        per_class, last_n = self._counts(name)
        if per_class is not None and last_n is not None:
            raise ValueError(f"Give split.{name}_per_class or split.{name}_last_n, not both.")
        if last_n is not None:
            return _last(name, last_n, len(train))
        # The name is a salt: without it, the validation set would repeat the test set's order.
        salted = TextArray(f"{name}/{group}" for group in (train.groups or train.names))
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

    def _fold_of(
        self, train: ImageSource, folds: int, class_names: Sequence[str]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Indices of the images of the other folds, and of those of the one to validate on."""
        salted = TextArray(f"fold/{group}" for group in (train.groups or train.names))
        found = assign_folds(salted, train.labels, folds, self.seed, class_names)
        return np.flatnonzero(found != self.fold), np.flatnonzero(found == self.fold)


def _last(name: str, number: int, total: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the first images, and of the last ones."""
    if not 0 < number < total:
        raise ValueError(
            f"split.{name}_last_n is {number}; expected 1 to {total - 1}, as there are {total} "
            "images."
        )
    first = total - number
    return np.arange(first), np.arange(first, total)
