"""Several checkpoints on a command line: their ensemble takes their place."""

from collections.abc import Sequence
from pathlib import Path

OPTION = "--ckpt_path"
CHECKPOINTS = (".ckpt", ".pt", ".pth")
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff")


def with_one_checkpoint(arguments: Sequence[str]) -> list[str]:
    """The command line with the checkpoint of an ensemble instead of two or more checkpoints.

    `predict --ckpt_path RUN RUN a.jpg DIR` names images behind them: what follows the first value
    is a checkpoint unless it is a file or folder that exists, or has the ending of an image.

    Raises:
        ValueError: If the checkpoints do not fit together.
    """
    options = list(arguments)
    if OPTION not in options or options[:1] == ["fit"]:
        return options
    first = options.index(OPTION) + 1
    last = first + 1
    while last < len(options) and _is_checkpoint(options[last]):
        last += 1
    if last - first < 2:
        return options
    from lightning_app.cli.networks.ensembles import ensemble_of  # imports torch

    return [*options[:first], str(ensemble_of(options[first:last])), *options[last:]]


def _is_checkpoint(value: str) -> bool:
    file = Path(value)
    if value.startswith("-") or file.suffix.lower() in IMAGES:
        return False
    return file.suffix in CHECKPOINTS or not file.exists()
