"""Kinds of tables, by the endings of their files, and what to do with those that are not read."""

import os
from pathlib import Path

CSV, JSON, ARROW = "CSV", "JSON", "Arrow"
JSON_ENDINGS = (".json", ".jsonl", ".ndjson")
ARROW_ENDINGS = (".parquet", ".pq", ".arrow")
COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".zst")
CSV_ENDINGS = (".csv", ".tsv")
TABLE_ENDINGS = (*CSV_ENDINGS, *JSON_ENDINGS, *ARROW_ENDINGS)
AS_CSV = "save it as CSV (UTF-8)"
NOT_READ = {
    **dict.fromkeys((".xlsx", ".xls", ".xlsm", ".ods", ".numbers"), ("a spreadsheet", AS_CSV)),
    **dict.fromkeys(
        (".pkl", ".pickle", ".pt", ".pth", ".joblib"),
        ("a pickle, which can run code when it is opened", f"{AS_CSV} where you trust it"),
    ),
    **dict.fromkeys((".h5", ".hdf5", ".mat", ".sqlite", ".db"), ("a database", AS_CSV)),
    ".feather": ("a Feather file", AS_CSV),
    ".xml": ("an XML file", AS_CSV),
    ".npz": ("a NumPy archive", "save its images as files, or write a datamodule"),
    ".npy": ("a NumPy array", "save its images as files, or write a datamodule"),
}


def kind_of(file: Path) -> str:
    """`CSV`, `JSON` or `Arrow`; folders hold Arrow or Parquet files."""
    ending = file.suffix.lower()
    if ending in COMPRESSED:
        ending = Path(file.stem).suffix.lower()
    if ending in ARROW_ENDINGS or os.path.isdir(file):  # noqa: PTH112 - Path.is_dir raises for a long name
        return ARROW
    return JSON if ending in JSON_ENDINGS else CSV


def is_table(name: str) -> bool:
    """Whether the name of a file ends like that of a table, compressed or not."""
    path = Path(name.lower())
    if path.suffix in COMPRESSED:
        return Path(path.stem).suffix in (*CSV_ENDINGS, *JSON_ENDINGS)
    return path.suffix in TABLE_ENDINGS


def stem_of(name: str) -> str:
    """The name of a table without its endings."""
    path = Path(name)
    return Path(path.stem).stem if path.suffix.lower() in COMPRESSED else path.stem


def check_supported(file: Path) -> None:
    """Refuse a file of a kind that is not read, before anything opens it.

    Raises:
        ValueError: With what the file is, and what to do.
    """
    if file.suffix.lower() in NOT_READ:
        what, advice = NOT_READ[file.suffix.lower()]
        raise ValueError(f"{file} is {what}; it is not read. Instead, {advice}.")
