"""Options for how many images to set aside, shared by `split` and `augment`."""

import argparse
from collections.abc import Collection

from datamodules.splits.settings import SplitSettings


def add_amounts(parser: argparse.ArgumentParser) -> None:
    """Add --val, --val_per_class, --test, --test_per_class and --seed."""
    for name in ("val", "test"):
        default = getattr(SplitSettings(), name)
        amount = parser.add_mutually_exclusive_group()
        amount.add_argument(
            f"--{name}", type=float, metavar="SHARE", help=f"of each class, {default} if not given"
        )
        amount.add_argument(
            f"--{name}_per_class", type=positive, metavar="N", help="images of each class instead"
        )
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another split")


def positive(text: str) -> int:
    """A whole number of 1 or more; a type for argparse."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def to_split(options: argparse.Namespace, given: Collection[str]) -> SplitSettings:
    """The split settings from the options.

    Args:
        options: The parsed command line.
        given: Splits that the dataset has already.

    Raises:
        ValueError: If an option sets the size of a split that exists already.
    """
    for name in ("val", "test"):
        asked = (getattr(options, name), getattr(options, f"{name}_per_class"))
        if name in given and asked != (None, None):
            raise ValueError(
                f"The dataset already has {name} images, which are kept: leave out --{name} and "
                f"--{name}_per_class."
            )
    default = SplitSettings()
    return SplitSettings(
        val=default.val if options.val is None else options.val,
        test=default.test if options.test is None else options.test,
        val_per_class=options.val_per_class,
        test_per_class=options.test_per_class,
        seed=options.seed,
    )
