"""`lightning_cli prepare shard`: write the images of any datamodule as WebDataset shards."""

import tempfile
from pathlib import Path
from typing import Any

from datamodules import ImageDataModule
from datamodules.sources.remote import EXTRA
from lightning_app.cli.config_parser import make_config_parser, parse_config

DESCRIPTION = """Write the images of a configuration as WebDataset shards, shuffled, with an index.
Train on them with configs/shards.yaml, or read them with the package webdataset."""
MEGABYTE = 10**6


def shard(args: list[str]) -> None:
    """Write the shards.

    Args:
        args: The command line after `prepare shard`.

    Raises:
        SystemExit: With 2 if the command line does not parse.
        ValueError: If a setting or an image is missing, or the folder is not empty.
    """
    settings = _parse(args)
    data, out = settings.data, settings.out
    _check(data, out, settings.shard_mb)
    try:
        from lightning_app.commands.prepare.shard_writer import write_shards
    except ModuleNotFoundError as error:
        raise ValueError(f"`prepare shard` needs the package {error.name}: {EXTRA}.") from None
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as unfinished:
        folder = Path(unfinished) / "shards"
        folder.mkdir()
        index = write_shards(data, folder, int(settings.shard_mb * MEGABYTE), settings.seed)
        folder.replace(out)
    for name, split in index.splits.items():
        print(f"{name}: {split.num_images:,} images in {_count(split.shards)}")
    print(
        f"The shards are in {out}. Train on them with\n"
        f"  lightning_cli fit --config configs/shards.yaml --data.root {out} "
        f"--data.image_size {data.image_size} --data.num_channels {data.num_channels}"
    )


def _check(data: ImageDataModule | None, out: Path | None, shard_mb: float) -> None:
    if data is None:
        raise ValueError("`prepare shard` needs a dataset: --config FILE.yaml, as for `fit`.")
    if out is None:
        raise ValueError("`prepare shard` needs a folder to write to: --out DIR.")
    if shard_mb <= 0:
        raise ValueError(f"Expected --shard_mb to be positive, got {shard_mb}.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} is not empty; shards need a new folder (--out).")


def _parse(args: list[str]) -> Any:
    parser = make_config_parser("lightning_cli prepare shard", DESCRIPTION)
    parser.add_argument("--out", type=Path | None, default=None, help="Folder to write.")
    parser.add_argument(
        "--shard_mb", type=float, default=256.0, help="Megabytes of images per shard."
    )
    parser.add_argument("--seed", type=int, default=0, help="Another seed gives another order.")
    return parser.instantiate_classes(parse_config(parser, args))


def _count(shards: tuple[Any, ...]) -> str:
    size = sum(file.num_bytes for file in shards) / MEGABYTE
    return f"{len(shards)} shard{'s' * (len(shards) > 1)} ({size:,.1f} MB)"
