"""The splits that a command needs: whether they exist and can be read."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from datamodules.options import Options
from datamodules.sources.cache import cached
from datamodules.sources.missing_data import MissingDataError
from datamodules.sources.readability import readable
from datamodules.sources.source import ImageSource

NEEDED = {"fit": ("train", "val"), "validate": ("val",), "test": ("test",)}  # splits of a command


def prepared(
    sources: Mapping[str, ImageSource],
    stage: str,
    predicted: str,
    options: Options,
    class_names: Sequence[str] = (),
) -> dict[str, ImageSource]:
    """All splits; those that a command needs are checked and cached.

    Args:
        sources: All splits.
        stage: `fit`, `validate`, `test` or `predict`.
        predicted: The split that `predict` reads.
        options: What to do with unreadable files, and whether to cache.
        class_names: Names of the classes, for messages.

    Raises:
        UnreadableImageError: If a file cannot be read, and `options.on_error` is `raise`.
        ValueError: If the command needs a split that is missing.
    """
    needed = NEEDED.get(stage, (predicted,))
    if missing := [split for split in needed if split not in sources]:
        raise ValueError(
            f"The dataset has no {missing[0]} images: add some, or split off a share of the "
            f"training images with --data.split.{missing[0]}."
        )
    # A fit checks the test images too: to find a broken one after hours is too late.
    checked = sources if stage == "fit" else {split: sources[split] for split in needed}
    # Other commands read all images only once, and the cache decodes them before training.
    quick = stage == "fit" and options.cache == "none"
    found = {**sources, **readable(checked, options.on_error, class_names, quick)}
    return found | {split: cached(found[split], options.cache) for split in needed}


@contextmanager
def naming_origin(origin: str) -> Iterator[None]:
    """Add to the error about missing data where they are available from.

    Raises:
        MissingDataError: If they are missing.
    """
    try:
        yield
    except MissingDataError as error:
        if not origin:
            raise
        text = f"{error}\nIt is available from {origin}."
        raise MissingDataError(text) from error
