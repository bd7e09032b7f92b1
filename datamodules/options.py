"""Options that all datamodules share and few runs set."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from datamodules.augmentation.views import View
from datamodules.names import composed

BatchSize = int | Literal["auto"]
AUTO_BATCH_SIZE = 32  # for `auto`, unless a fit finds another
MAX_ALPHA = 100.0  # of a Beta distribution; beyond it, hardly anything is random


@dataclass(frozen=True)
class Options:
    """Options that do not depend on where the images come from.

    Attributes:
        exclude_classes: Classes to train and validate without. The network keeps their outputs and
            the test set their images, so that every class is compared with runs that trained on it.
        merge_classes: New class from several, `{water: [sea, river]}`; it takes the place of the
            first of them.
        label_fixes: CSV file of labels to correct, `label_fixes.csv` of a fit or of
            `lightning_cli suspects`; delete the lines whose labels are right before you use it.
        limit_per_class: Train on at most this many images of each class, chosen by their names.
        sampling: `uniform` shows every training image once per epoch; `balanced` draws equally many
            images of each class, with replacement; `sqrt` draws each class in proportion to the
            square root of its share, half-way between the two.
        mixup: Mix two images of a batch, and their labels (Zhang et al., 2018), in proportions from
            Beta(mixup, mixup); 0 for none.
        cutmix: Paste a part of one image into another (Yun et al., 2019), with an area from
            Beta(cutmix, cutmix); 0 for none. With both, each batch draws one of the two.
        augmentation_views: Different augmented versions of each training image, which the epochs
            repeat in turn; 0 for a new one in each epoch. If the backbone is frozen, its features
            of these are computed once.
        test_time_views: Views of each image for `test` and `predict`, besides the image itself; the
            probabilities are averaged.
        cache: `ram` or `disk` keeps decoded images, once for all processes of a machine; `disk` is
            reused by later runs.
        on_error: What to do with unreadable files before training: `raise` ends the run with a list
            of them, `skip` leaves them out with a warning. Of more than 50,000 JPEG files of a
            split, a fit with `raise` looks at the first and last bytes; damage between them ends it
            later. A file that becomes unreadable during training is else always skipped, and
            counted in `data/unreadable`.
        origin: Where the images are available from; shown if they are missing.
    """

    exclude_classes: list[str] = field(default_factory=list)
    merge_classes: dict[str, list[str]] = field(default_factory=dict)
    label_fixes: Path | str | None = None
    limit_per_class: int | None = None
    sampling: Literal["uniform", "balanced", "sqrt"] = "uniform"
    mixup: float = 0.0
    cutmix: float = 0.0
    augmentation_views: int = 0
    test_time_views: list[View] = field(default_factory=list)
    cache: Literal["none", "ram", "disk"] = "none"
    on_error: Literal["raise", "skip"] = "raise"
    origin: str = ""

    def __post_init__(self) -> None:
        """Refuse values that are out of range; spell the classes as the dataset does."""
        merged = {
            composed(new): list(map(composed, old)) for new, old in self.merge_classes.items()
        }
        object.__setattr__(self, "exclude_classes", list(map(composed, self.exclude_classes)))
        object.__setattr__(self, "merge_classes", merged)
        for name, value in (("mixup", self.mixup), ("cutmix", self.cutmix)):
            if not 0 <= value <= MAX_ALPHA:
                raise ValueError(f"options.{name} is {value}; expected 0 to {MAX_ALPHA:g}.")
        at_least(0, "options.augmentation_views", self.augmentation_views)
        if self.limit_per_class is not None:
            at_least(1, "options.limit_per_class", self.limit_per_class)


def at_least(least: int, name: str, value: int) -> int:
    """The value.

    Raises:
        ValueError: If it is smaller than the least one allowed.
    """
    if value < least:
        raise ValueError(f"{name} is {value}; expected {least} or more.")
    return value
