"""Split settings: how images without a split of their own are divided into splits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datamodules.sources.source import ImageSource
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
    """

    val: float = 0.15
    test: float = 0.15
    val_per_class: int | None = None
    test_per_class: int | None = None
    val_last_n: int | None = None
    test_last_n: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers of images below 1."""
        for name in ("val_per_class", "test_per_class", "val_last_n", "test_last_n"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"split.{name} is {value}; expected 1 or more.")

    def complete(
        self, given: dict[str, ImageSource], class_names: Sequence[str]
    ) -> dict[str, ImageSource]:
        """Split a missing test set and a missing validation set off the training images.

        Args:
            given: The `train` images, and those of the splits that exist already.
            class_names: Names of the classes, for messages.

        Raises:
            ValueError: If a share is out of its range, or more images are asked for than there are.
        """
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
        per_class, last_n = self._counts(name)
        if per_class is not None and last_n is not None:
            raise ValueError(f"Give split.{name}_per_class or split.{name}_last_n, not both.")
        if last_n is not None:
            return _last(name, last_n, len(train))
        # The name is a salt: without it, the validation set would repeat the test set's order.
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


def _last(name: str, number: int, total: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the first images, and of the last ones."""
    if not 0 < number < total:
        raise ValueError(
            f"split.{name}_last_n is {number}; expected 1 to {total - 1}, as there are {total} "
            "images."
        )
    first = total - number
    return np.arange(first), np.arange(first, total)
