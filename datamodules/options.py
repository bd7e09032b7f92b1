"""Settings that every datamodule shares and few runs touch."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from datamodules.augmentation.views import View

MAX_ALPHA = 100.0  # of a Beta distribution that still draws something


@dataclass(frozen=True)
class Options:
    """What is done with the images, wherever they come from.

    Attributes:
        exclude_classes: Classes to train and validate without. The network keeps their outputs and
            the test set their images, so that every class is scored against a run that saw it.
        merge_classes: New class from several, `{water: [sea, river]}`; it takes the place of the
            first of them.
        label_fixes: CSV file of labels to mend, as a fit and `lightning_cli suspects` write one
            (`label_fixes.csv`); a person takes out the lines that are none.
        limit_per_class: Train on at most so many images of each class, drawn by their names.
        sampling: `uniform` shows every training image once an epoch; `balanced` draws, with
            replacement, as many of each class; `sqrt` draws a class by the square root of its
            share, half-way between the two.
        mixup: Mix two images of a batch, and their labels (Zhang et al., 2018), in proportions from
            Beta(mixup, mixup); 0 for none.
        cutmix: Paste a part of an image into another (Yun et al., 2019), its area from
            Beta(cutmix, cutmix); 0 for none. With both, each batch draws one of the two.
        test_time_views: What `test` and `predict` show the network of an image besides the image
            itself; the probabilities are averaged.
        cache: `ram` or `disk` keeps decoded images, for sets that fit; `disk` is shared by all
            processes, and found again by the next run.
        on_error: What an unreadable file does before training: `raise` ends the run with a list
            of all, `skip` leaves them out with a warning. Once training has started, a file that
            becomes unreadable is always skipped, and counted as `data/unreadable`.
        origin: Where the images can be had; said if they are missing.
    """

    exclude_classes: list[str] = field(default_factory=list)
    merge_classes: dict[str, list[str]] = field(default_factory=dict)
    label_fixes: Path | None = None
    limit_per_class: int | None = None
    sampling: Literal["uniform", "balanced", "sqrt"] = "uniform"
    mixup: float = 0.0
    cutmix: float = 0.0
    test_time_views: list[View] = field(default_factory=list)
    cache: Literal["none", "ram", "disk"] = "none"
    on_error: Literal["raise", "skip"] = "raise"
    origin: str = ""

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        for name, value in (("mixup", self.mixup), ("cutmix", self.cutmix)):
            if not 0 <= value <= MAX_ALPHA:
                raise ValueError(f"options.{name} is {value}; expected 0 to {MAX_ALPHA:g}.")
        if self.limit_per_class is not None and self.limit_per_class < 1:
            raise ValueError(
                f"options.limit_per_class is {self.limit_per_class}; expected 1 or more."
            )
