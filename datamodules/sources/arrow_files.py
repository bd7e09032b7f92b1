"""Parquet and Arrow files, read batch by batch with pyarrow alone; nothing in them can run."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datamodules.sources.missing_data import MissingDataError

BATCH = 256  # rows in memory at a time, besides those of one row group
MAX_RATIO, SMALL = 100, 2**32  # of content to file, from so many bytes on: images do not shrink
ENDINGS = (".arrow", ".parquet", ".pq")


def arrow_files(place: Path) -> list[Path]:
    """The files of a table: one file, those of a folder, or those that a pattern fits.

    Raises:
        MissingDataError: If there is none.
        ValueError: If `datasets` has saved a selection of rows without the rows.
    """
    if place.is_dir():
        _check_state(place)
        found = [f for f in place.iterdir() if f.suffix in ENDINGS and f.name[:6] != "cache-"]
    elif "*" in place.name and place.parent.is_dir():
        found = list(place.parent.glob(place.name))
    else:
        found = [place] if place.is_file() else []
    if not found:
        raise MissingDataError(f"There is no file {place}.")
    return sorted(found)


def schema_of(file: Path) -> Any:
    """The names and types of the columns of a file."""
    with reading(file):
        if file.suffix != ".arrow":
            return pq.read_schema(file)
        with pa.memory_map(str(file)) as source:
            return _opened(source).schema


def features_of(schema: Any) -> dict[str, Any]:
    """What `datasets` has noted of each column, such as the names of its classes; or nothing."""
    try:
        noted = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return noted if isinstance(noted, dict) else {}


def batches(file: Path, columns: Sequence[str]) -> Iterator[Any]:
    """The rows of a file in batches; only these columns, which may be fields such as `image.path`.

    Raises:
        ValueError: If the file is damaged, or holds far more than its size allows.
    """
    with reading(file):
        if file.suffix == ".arrow":
            yield from _stream_batches(file, columns)
            return
        with pq.ParquetFile(file) as opened:
            groups = [opened.metadata.row_group(i) for i in range(opened.num_row_groups)]
            check_size(file, sum(group.total_byte_size for group in groups))
            for batch in opened.iter_batches(BATCH, columns=list(columns)):
                yield _chosen(batch, columns)


def check_size(file: Path, num_bytes: int) -> None:
    """Refuse a file that unpacks to far more than images do.

    Raises:
        ValueError: If the content is more than 100 times the file, and more than 4 GiB.
    """
    if num_bytes > max(SMALL, MAX_RATIO * file.stat().st_size):
        raise ValueError(
            f"{file} has {file.stat().st_size:,} bytes, but unpacks to {num_bytes:,} or more; "
            "it is not read."
        )


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turn errors of pyarrow into one that names the file.

    Raises:
        ValueError: If the file is not one of Parquet or Arrow, or is damaged.
    """
    try:
        yield
    except (pa.ArrowException, OSError, KeyError, OverflowError) as error:
        kind = "an Arrow" if file.suffix == ".arrow" else "a Parquet"
        reason = str(error).split("\n")[0].strip(" .'\"")[:200]
        raise ValueError(f"{file} is damaged, or not {kind} file: {reason}.") from None


def _stream_batches(file: Path, columns: Sequence[str]) -> Iterator[Any]:
    with pa.memory_map(str(file)) as source:
        opened = _opened(source)
        if isinstance(opened, pa.RecordBatchFileReader):
            opened = map(opened.get_batch, range(opened.num_record_batches))
        for batch in opened:
            batch.validate(full=True)  # else a wrong offset would read outside of the file
            for start in range(0, len(batch), BATCH):
                yield _chosen(batch.slice(start, BATCH), columns)


def _chosen(batch: Any, columns: Sequence[str]) -> Any:
    """The columns, under these names; `image.path` is the field of a structure."""
    arrays = {}
    for name in columns:
        column, _, field = name.rpartition(".")
        is_field = name not in batch.schema.names
        arrays[name] = batch.column(column).field(field) if is_field else batch.column(name)
    return pa.table(arrays)


def _opened(source: Any) -> Any:
    """A stream, as `datasets` writes them, or a file with an index."""
    try:
        return pa.ipc.open_stream(source)
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_file(source)


def _check_state(folder: Path) -> None:
    try:
        state = json.loads((folder / "state.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return
    if isinstance(state, dict) and (
        state.get("_indices_data_files") or state.get("_indices_files")
    ):
        raise ValueError(
            f"{folder} is a selection of rows; save it again after dataset.flatten_indices()."
        )
