"""Listing of the images that a fit would read, in its splits, from the settings of its data."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from datamodules import ImageDataModule
from datamodules.folder import ImageFolderDataModule
from datamodules.manifest import ManifestDataModule
from datamodules.pixel_csv import PixelCSVDataModule
from datamodules.sources.files import FileReader
from datamodules.sources.packed_images import PackedReader
from datamodules.sources.shards import ShardReader
from datamodules.sources.source import UNLABELLED, ImageSource
from lightning_app.cli.config_parser import make_config_parser, parse_config
from lightning_app.commands.prepare.check.csv_files import list_manifest, list_pixels
from lightning_app.commands.prepare.check.findings import Entry
from lightning_app.commands.prepare.check.folders import list_folders
from lightning_app.commands.prepare.check.listing import Listing


def list_configured(arguments: Sequence[str]) -> Listing:
    """The images of each split of a fit with these configurations and settings of the data.

    What readers complain of is collected. If a fit would refuse the dataset, the splits are those
    of the dataset itself.

    Args:
        arguments: `--config FILE`, `--data.…`, as for `fit`.

    Raises:
        ValueError: If they name no dataset, or there is nothing to list.
        SystemExit: With 2 if they do not parse.
    """
    parser = make_config_parser("lightning_cli prepare check", "")
    data = parser.instantiate_classes(parse_config(parser, list(arguments))).data
    if data is None:
        raise ValueError("The options name no dataset: add DATA, --data or --config FILE.yaml.")
    try:
        sources = data.sources
    except ValueError:
        listing = _collected(data)
        if listing is None or all(found.severity != "error" for found in listing.findings):
            raise
        return listing
    entries = [entry for split in sources for entry in _entries(data, split, sources[split])]
    is_parsed_twice = isinstance(data, PixelCSVDataModule)  # and warnings are printed
    listing = None if is_parsed_twice else _collected(data)
    root = listing.root if listing else Path(str(data.place)).parent
    return Listing(root, entries, listing.findings if listing else [], is_split=True)


def _collected(data: ImageDataModule) -> Listing | None:
    """The listing of the dataset itself, with all complaints; None for other datamodules."""
    if isinstance(data, ImageFolderDataModule):
        return list_folders(data.root, data.predict, data.allow_outside, data.pattern)
    if isinstance(data, ManifestDataModule):
        return list_manifest(data.files, data.root, data.layout, data.allow_outside)
    if isinstance(data, PixelCSVDataModule):
        return list_pixels(data.files, data.given_classes or (), data.usage)
    return None


def _entries(data: ImageDataModule, split: str, source: ImageSource) -> Iterator[Entry]:
    names = {**dict(enumerate(data.class_names)), UNLABELLED: ""}
    groups = source.groups or [""] * len(source)
    columns = zip(source.names, source.labels.tolist(), groups, strict=True)
    excluded = set(data.options.exclude_classes)  # the test has them, as unknown images
    for index, (name, label, group) in enumerate(columns):
        if names[label] in excluded:
            continue
        row, reader = int(source.rows[index]), source.reader
        file = Path(str(data.place))
        if isinstance(reader, FileReader):
            yield Entry(name, reader.root / reader.paths[row], split, names[label], group)
        elif isinstance(reader, (PackedReader, ShardReader)):
            content = partial(reader.encoded, row)
            yield Entry(name, file, split, names[label], group, encoded=content)
        else:
            yield Entry(name, file, split, names[label], group, pixels=source.read(index))
