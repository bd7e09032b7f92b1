"""Files of a manifest: which table holds which split of a dataset."""

import re
from collections.abc import Mapping
from pathlib import Path

from datamodules.split_folders import FOLDERS
from datamodules.splits.names import SPLITS
from datamodules.tables.table_kinds import ARROW_ENDINGS, is_table, stem_of

STATE = "state.json"  # in a folder that `datasets` has saved to disk
MAX_DEPTH = 6  # folders of a cache that hold nothing but the next one
SHARD = re.compile(r"-\d{5}-of-\d{5}$")


def manifest_files(manifest: Path | str | Mapping[str, Path | str]) -> dict[str, Path]:
    """The table of each split; a single one with all splits is under an empty name.

    Args:
        manifest: A file; a folder with a table for each split; or the table of each split.

    Raises:
        ValueError: If there is no table for `train`, or a split is unknown.
    """
    if isinstance(manifest, Mapping):
        if unknown := sorted(set(manifest) - set(SPLITS)):
            raise ValueError(f"manifest names {', '.join(unknown)}; splits are {SPLITS}.")
        return {split: Path(file) for split, file in manifest.items()}
    manifest = Path(manifest)
    if not manifest.is_dir() or (manifest / STATE).is_file():
        return {"": manifest}
    files = split_tables(manifest)
    if "train" not in files:
        raise ValueError(f"The folder {manifest} has no train.csv.")
    return files


def split_tables(folder: Path) -> dict[str, Path]:
    """The table of each split in a folder; empty if it has none.

    These are `train.csv` and others of its kind, shards such as `train-00000-of-00002.parquet` as
    one pattern, or what `datasets` has saved to disk or keeps in its cache.
    """
    for place in _nested(folder):
        inner = sorted(path for path in place.iterdir() if not path.name.startswith("."))
        saved = {_split_of(path.name): path for path in inner if (path / STATE).is_file()}
        found = saved or _by_split([path for path in inner if is_table(path.name)])
        if "train" in found:
            return {split: found[split] for split in SPLITS if split in found}
    return {}


def only_table(folder: Path) -> Path | None:
    """The table in a folder that has only one, such as `labels.csv` beside the images."""
    tables = [path for path in sorted(folder.iterdir()) if is_table(path.name) and path.is_file()]
    tables = [path for path in tables if "submission" not in path.name.lower()]
    return tables[0] if len(tables) == 1 else None


def _nested(folder: Path) -> list[Path]:
    """The folder, its `data`, and the folders that hold nothing but the next, as in a cache."""
    places = [folder]
    for _ in range(MAX_DEPTH):
        inner = [path for path in places[-1].iterdir() if path.is_dir()]
        inner = [
            path for path in inner if path.name not in ("blobs", "refs") and path.name[0] != "."
        ]
        named = [path for path in inner if path.name in ("data", "snapshots")] or inner
        if len(named) != 1 or any(is_table(path.name) for path in places[-1].iterdir()):
            break
        places.append(named[0])
    return places


def _by_split(tables: list[Path]) -> dict[str, Path]:
    found: dict[str, list[Path]] = {}
    for table in tables:
        if not table.name.startswith("cache-"):  # what `datasets` has computed from others
            found.setdefault(_split_of(table.name), []).append(table)
    found.pop("", None)
    return {split: _pattern(files) for split, files in found.items() if _pattern(files)}


def _pattern(files: list[Path]) -> Path:
    """The only file, or the pattern of shards."""
    stem = SHARD.sub("", files[0].stem)
    are_shards = len({SHARD.sub("", file.stem) + file.suffix for file in files}) == 1
    if len(files) > 1 and are_shards and files[0].suffix in ARROW_ENDINGS:
        return files[0].with_name(f"{stem}-*{files[0].suffix}")
    if len(files) > 1:
        both = " and ".join(file.name for file in files[:2])
        raise ValueError(f"{files[0].parent} has {both}: which of them is to be used?")
    return files[0]


def _split_of(name: str) -> str:
    """The split that a file or folder is named after; empty if there is none."""
    stem = SHARD.sub("", stem_of(name).lower())
    words = [stem, *re.split(r"[-_.]", stem)[-1:]] if Path(name).suffix in ARROW_ENDINGS else [stem]
    for split, names in FOLDERS.items():
        if set(words) & set(names):
            return split
    return ""
