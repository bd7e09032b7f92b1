"""Listing of shards, by `ShardDataModule`."""

from functools import partial
from pathlib import Path

from datamodules.sources.shards import ShardReader
from datamodules.sources.source import UNLABELLED
from lightning_app.commands.prepare.check.findings import Entry
from lightning_app.commands.prepare.check.listing import Listing


def list_shards(root: Path) -> Listing:
    """The images in shards.

    Raises:
        ValueError: If there is no index, or a shard differs from its entry in the index.
    """
    from datamodules import ShardDataModule  # imports torch

    data = ShardDataModule(str(root))
    names = {**dict(enumerate(data.find_classes())), UNLABELLED: ""}
    entries: list[Entry] = []
    for split, source in data.load().items():
        reader = source.reader
        assert isinstance(reader, ShardReader)
        groups = source.groups or [""] * len(source)
        columns = zip(source.names, source.labels.tolist(), groups, strict=True)
        entries += [
            Entry(name, root, split, names[label], group, encoded=partial(reader.encoded, row))
            for row, (name, label, group) in enumerate(columns)
        ]
    return Listing(root, entries, [])
