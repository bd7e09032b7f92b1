"""Index of shards: classes, files, and the position of each image."""

import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from datamodules.redaction import redact_text
from datamodules.sources.source import UNLABELLED

INDEX = "index.json"
VERSION = 1
COLUMNS = {
    "name": str,
    "extension": str,
    **dict.fromkeys(("label", "shard", "offset", "size"), int),
}


@dataclass(frozen=True)
class StoredFile:
    """A file beside the index.

    Attributes:
        name: Name of the file, without a folder.
        num_bytes: Size of the file.
        sha256: Digest of its content, in hexadecimal.

    Raises:
        ValueError: If the name leads to another folder, or the digest is not one.
    """

    name: str
    num_bytes: int
    sha256: str

    def __post_init__(self) -> None:
        # Both become parts of paths, and an index may come from an untrusted place.
        if not re.fullmatch(r"[\w-]+\.\w+", self.name) or not re.fullmatch(
            "[0-9a-f]{64}", self.sha256
        ):
            raise ValueError(f"{self.name!r} with the digest {self.sha256!r} is not a shard file")


@dataclass(frozen=True)
class SplitIndex:
    """The files of one split.

    Attributes:
        num_images: Images in all shards.
        table: A Parquet file with one row per image: `name`, `label` (class index), `group` if
            there are groups, `extension`, and the position of its bytes: `shard`, `offset`, `size`.
        shards: The tar files, in the order of their numbers.
    """

    num_images: int
    table: StoredFile
    shards: tuple[StoredFile, ...]


@dataclass(frozen=True)
class ShardIndex:
    """All splits of a set of shards.

    Attributes:
        class_names: Names of the classes, in the order of their indices.
        splits: The splits by their names.
    """

    class_names: tuple[str, ...]
    splits: Mapping[str, SplitIndex]

    def to_json(self) -> str:
        """Content of the file `INDEX`."""
        return json.dumps({"version": VERSION, **asdict(self)}, indent=1, ensure_ascii=False)


def parse_index(text: bytes, place: str) -> ShardIndex:
    """Read the content of the file `INDEX`.

    Args:
        text: The content.
        place: Path or URL of the file, for messages.

    Raises:
        ValueError: If it is not an index, or one of a later version.
    """
    try:
        content = json.loads(text)
        if content["version"] != VERSION:
            raise ValueError(f"expected version {VERSION}, got {content['version']}")
        splits = {name: _split(split) for name, split in content["splits"].items()}
        return ShardIndex(tuple(content["class_names"]), splits)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(
            f"{redact_text(place)} is not an index of shards ({reason}); create one with "
            "`lightning_cli prepare shard`."
        ) from None


def stored_file(file: Path) -> StoredFile:
    """Name, size and digest of a file."""
    with file.open("rb") as stream:
        return StoredFile(
            file.name, file.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest()
        )


def parse_table(content: bytes, place: str, num_classes: int) -> Any:
    """The table of a split as a data frame, from the content of its file; see `SplitIndex`.

    Args:
        content: Of the Parquet file.
        place: Name of the file, for messages.
        num_classes: Above which there are no labels.

    Raises:
        ValueError: If the content is not such a table.
    """
    try:
        table = pd.read_parquet(io.BytesIO(content), engine="pyarrow").astype(COLUMNS)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        reason = f"{type(error).__name__}: {error}"
    else:
        if table["label"].between(UNLABELLED, num_classes - 1).all():
            return table
        reason = "a label is not the number of a class"
    raise ValueError(
        f"{place} is not a table of images ({reason}); write it again with "
        "`lightning_cli prepare shard`."
    )


def _split(content: Any) -> SplitIndex:
    shards = tuple(StoredFile(**shard) for shard in content["shards"])
    return SplitIndex(content["num_images"], StoredFile(**content["table"]), shards)
