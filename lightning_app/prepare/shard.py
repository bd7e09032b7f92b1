"""`lightning_cli prepare shard`: write the images of any datamodule as shards."""

import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from datamodules import HOMES, ImageDataModule
from datamodules.sources.remote import EXTRA
from lightning_app.mistakes.parse_errors import BriefParser
from lightning_app.mistakes.setting_places import config_files

DESCRIPTION = """Write the images of a configuration as WebDataset shards, shuffled, with an index.
Train from them with configs/shards.yaml, or read them with the package webdataset."""
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
        from lightning_app.prepare.shard_writer import write_shards
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
        f"The shards are in {out}. Train from them with\n"
        f"  lightning_cli fit --config configs/shards.yaml --data.root {out} "
        f"--data.image_size {data.image_size} --data.num_channels {data.num_channels}"
    )


def _check(data: ImageDataModule | None, out: Path | None, shard_mb: float) -> None:
    if data is None:
        raise ValueError("`prepare shard` needs data: --config FILE.yaml, one that `fit` takes.")
    if out is None:
        raise ValueError("`prepare shard` needs a folder to write to: --out DIR.")
    if shard_mb <= 0:
        raise ValueError(f"Expected --shard_mb to be positive, got {shard_mb}.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} is not empty; shards are written to a new folder (--out).")


def _parse(args: list[str]) -> Any:
    for module in HOMES.values():  # so that YAML can name datamodules by their bare class names
        import_module(f"datamodules.{module}")
    parser = BriefParser(prog="lightning_cli prepare shard", description=DESCRIPTION)
    parser.add_argument("-c", "--config", action="config", help="A configuration as `fit` has it.")
    parser.add_lightning_class_args(ImageDataModule, "data", subclass_mode=True, required=False)
    parser.add_argument("--out", type=Path | None, default=None, help="Folder to write.")
    parser.add_argument(
        "--shard_mb", type=float, default=256.0, help="Megabytes of images in a shard."
    )
    parser.add_argument("--seed", type=int, default=0, help="Another seed, another order.")
    own = {action.dest for action in parser._actions}
    for key in sorted(_keys(args) - own):  # what else `fit` is told
        parser.add_argument(f"--{key}", type=_unused, help="Not used.")
    return parser.instantiate_classes(parser.parse_args(args))


def _unused(value: Any) -> None:
    """Of a type of its own: what is named in it must not be built."""


def _keys(args: list[str]) -> set[str]:
    """The keys at the top of the configuration files, as far as those can be read."""
    keys: set[str] = set()
    for file in config_files(args):
        try:
            content = yaml.safe_load(file.read_text())
        except yaml.YAMLError:  # the parser will say what is wrong with it
            continue
        keys |= set(content) if isinstance(content, dict) else set()
    return keys


def _count(shards: tuple[Any, ...]) -> str:
    size = sum(file.num_bytes for file in shards) / MEGABYTE
    return f"{len(shards)} shard{'s' * (len(shards) > 1)} ({size:,.1f} MB)"
