"""The images that a command needs: are they there, and can they be read?"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from datamodules.options import Options
from datamodules.sources.cache import cached
from datamodules.sources.missing import MissingDataError
from datamodules.sources.readable import readable
from datamodules.sources.source import ImageSource

NEEDED = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",)}  # splits of a command


def prepared(
    sources: Mapping[str, ImageSource], stage: str, predicted: str, options: Options
) -> dict[str, ImageSource]:
    """The splits, those that a command needs looked at and cached.

    Args:
        sources: All splits.
        stage: `fit`, `validate`, `test` or `predict`.
        predicted: Split that `predict` looks at.
        options: What to do with files that cannot be read, and what to cache.

    Raises:
        UnreadableImageError: If a file cannot be read, and `options.on_error` is `raise`.
        ValueError: If there is no image for the command.
    """
    needed = NEEDED.get(stage, (predicted,))
    if missing := [split for split in needed if split not in sources]:
        raise ValueError(
            f"The data have no {missing[0]} images: give some, or a share of the training "
            f"images with --data.split.{missing[0]}."
        )
    # A fit looks at the test images too: to learn of a broken one after hours is too late.
    shown = sources if stage == "fit" else {split: sources[split] for split in needed}
    found = {**sources, **readable(shown, options.on_error)}
    return found | {split: cached(found[split], options.cache) for split in needed}


@contextmanager
def told_where_from(origin: str) -> Iterator[None]:
    """Say where the data can be had, if they are not there.

    Raises:
        MissingDataError: If they are missing.
    """
    try:
        yield
    except MissingDataError as error:
        if not origin:
            raise
        text = f"{error}\nThey can be had from {origin}."
        raise MissingDataError(text) from error
