"""The options that say how many images are set aside."""

import argparse
from collections.abc import Collection

from datamodules.splits.split import Split


def add_amounts(parser: argparse.ArgumentParser) -> None:
    """Add --val, --val-per-class, --test, --test-per-class and --seed."""
    for name in ("val", "test"):
        default = getattr(Split(), name)
        amount = parser.add_mutually_exclusive_group()
        amount.add_argument(
            f"--{name}", type=float, metavar="SHARE", help=f"of each class, {default} if not given"
        )
        amount.add_argument(
            f"--{name}-per-class", type=positive, metavar="N", help="images of each class instead"
        )
    parser.add_argument("--seed", type=int, default=0, help="another seed, another split")


def positive(text: str) -> int:
    """A whole number, 1 or more, for argparse to ask for."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def to_split(options: argparse.Namespace, given: Collection[str]) -> Split:
    """The split that the options ask for.

    Args:
        options: What was parsed.
        given: Splits that the data have already.

    Raises:
        ValueError: If an amount is asked for of a split that the data have.
    """
    for name in ("val", "test"):
        asked = (getattr(options, name), getattr(options, f"{name}_per_class"))
        if name in given and asked != (None, None):
            raise ValueError(
                f"The data have {name} images of their own, which are kept: leave out --{name} and "
                f"--{name}-per-class."
            )
    usual = Split()
    return Split(
        val=usual.val if options.val is None else options.val,
        test=usual.test if options.test is None else options.test,
        val_per_class=options.val_per_class,
        test_per_class=options.test_per_class,
        seed=options.seed,
    )
