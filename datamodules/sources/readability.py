"""Check for unreadable images before training."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from lightning.pytorch.utilities import rank_zero_info, rank_zero_warn

from datamodules.sources.decode import NEARLY_BLACK, Check
from datamodules.sources.image_limits import UnreadableImageError
from datamodules.sources.shared_checks import shared_checks
from datamodules.sources.source import UNLABELLED, ImageSource

MANY_FILES = 50_000  # beyond it, to read all of each JPEG takes minutes
SHOWN = 5  # complaints and classes that a message lists


def readable(
    sources: Mapping[str, ImageSource],
    on_error: Literal["raise", "skip"],
    class_names: Sequence[str] = (),
    quick: bool = False,
) -> dict[str, ImageSource]:
    """The images of each split without those that cannot be decoded.

    Args:
        sources: The images of each split.
        on_error: `raise` refuses unreadable images, `skip` leaves them out with a warning.
        class_names: Names of the classes, for messages.
        quick: Whether the ends of files are enough in splits of more than `MANY_FILES`, if
            unreadable ones are refused. The rest is checked as it is read: damage ends the run.

    Raises:
        UnreadableImageError: If there are some and `on_error` is `raise`, or a split or a class to
            train on has no other image.
    """
    is_enough = quick and on_error == "raise"
    checks = {
        name: shared_checks(
            split, f"checking the {name} images", is_enough and len(split) > MANY_FILES
        )
        for name, split in sources.items()
    }
    sources = _marked(sources, checks)
    _warn_of_dark(sources, checks, class_names)
    bad = [check.fault for split in checks.values() for check in split if check.fault]
    if not bad:
        return dict(sources)
    is_good = {s: np.array([not check.fault for check in found]) for s, found in checks.items()}
    more = f"\n  and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    total = sum(map(len, sources.values()))
    text = f"{len(bad)} of {total} images cannot be read:\n  " + "\n  ".join(bad[:SHOWN]) + more
    text += _by_class(sources, is_good, class_names)
    if lost := _lost_classes(sources, is_good, class_names):
        raise UnreadableImageError(f"{text}\nNo training image is left of {lost}.")
    if on_error == "raise" or not all(good.any() for good in is_good.values() if len(good)):
        raise UnreadableImageError(
            f"{text}\nFix or delete them, or leave them out with --data.options.on_error skip."
        )
    rank_zero_warn(f"{text}\nThey are left out.")
    return {
        split: source.subset(np.flatnonzero(is_good[split])) for split, source in sources.items()
    }


def _marked(
    sources: Mapping[str, ImageSource], checks: Mapping[str, Sequence[Check]]
) -> dict[str, ImageSource]:
    """The sources, which know whether their images were checked in full; says so if not."""
    partly = [s for s, found in checks.items() if any(check.ends_only for check in found)]
    if partly:
        rank_zero_info(
            f"{', '.join(partly)}: of more than {MANY_FILES:,} images, the first and "
            "last bytes of JPEG files were checked. The rest is checked as it is read, and damage "
            "ends the run. `lightning_cli prepare check` and --data.options.on_error skip read all "
            "of it before."
        )
    return {s: replace(source, is_checked=s not in partly) for s, source in sources.items()}


def _counts(labels: np.ndarray, class_names: Sequence[str]) -> Counter[str]:
    """Number of images of each class; no class without its name."""
    known = labels[(labels != UNLABELLED) & (labels < len(class_names))]
    return Counter(str(class_names[label]) for label in known.tolist())


def _by_class(
    sources: Mapping[str, ImageSource],
    is_good: Mapping[str, np.ndarray],
    class_names: Sequence[str],
) -> str:
    """How many of how many images of which classes, if they are not of all classes alike."""
    bad, everything = Counter[str](), Counter[str]()
    for split, source in sources.items():
        bad += _counts(source.labels[~is_good[split]], class_names)
        everything += _counts(source.labels, class_names)
    if not bad:
        return ""
    listed = [f"{bad[name]} of {everything[name]} of {name}" for name, _ in bad.most_common(SHOWN)]
    more = f" and of {len(bad) - SHOWN} more classes" if len(bad) > SHOWN else ""
    return f"\nBy class: {', '.join(listed)}{more}."


def _lost_classes(
    sources: Mapping[str, ImageSource],
    is_good: Mapping[str, np.ndarray],
    class_names: Sequence[str],
) -> str:
    """The classes of training images none of which can be read; empty if there is none."""
    if "train" not in sources:
        return ""
    labels = sources["train"].labels
    before, after = set(labels.tolist()), set(labels[is_good["train"]].tolist())
    lost = sorted(before - after - {UNLABELLED})
    return ", ".join(str(class_names[i]) if i < len(class_names) else f"class {i}" for i in lost)


def _warn_of_dark(
    sources: Mapping[str, ImageSource],
    checks: Mapping[str, Sequence[Check]],
    class_names: Sequence[str],
) -> None:
    """Warn of classes that are mostly nearly black: their values have another range."""
    if not any(check.is_dark for found in checks.values() for check in found):
        return
    dark, everything = Counter[str](), Counter[str]()
    for split, source in sources.items():
        is_dark = np.array([check.is_dark for check in checks[split]], dtype=bool)
        dark += _counts(source.labels[is_dark], class_names)
        everything += _counts(source.labels, class_names)
    mostly = [name for name in dark if 2 * dark[name] > everything[name]]
    if mostly:
        listed = [f"{dark[name]} of {everything[name]} of {name}" for name in mostly[:SHOWN]]
        rank_zero_warn(
            f"Images are nearly black, with no value above {NEARLY_BLACK} of 255: "
            f"{', '.join(listed)}. If they hold 12 bits in files of 16, or numbers such as 0 and "
            "1, scale all of them alike before training."
        )
