"""Moved stores: the paths in the database of a folder that was moved or copied."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"  # beside the database
PLACES = {  # columns of MLflow's tables that hold absolute paths
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "logged_models": ("artifact_location",),
    "model_versions": ("source", "storage_location"),
}

log = logging.getLogger(__name__)


@cache
def heal_moved_store(root: Path) -> None:
    """Let the runs of a store find their artifacts if its folder was moved or copied.

    MLflow records the absolute path of each run's artifacts. Without this, a store that has moved
    would write to its old place, and show no picture. A path is changed if what it names has moved
    along, or is gone. A process looks once at each store.

    Args:
        root: Folder of the database, absolute.
    """
    if not (root / DATABASE).is_file():
        return
    try:
        with closing(sqlite3.connect(root / DATABASE, timeout=30)) as database, database:
            moved = [_move(database, old, root) for old in _earlier_places(database, root)]
    except sqlite3.DatabaseError as error:  # MLflow opens it next, and says what is wrong with it
        log.debug("%s: %s", root, error)
        return
    if any(moved):
        log.info("The store has moved to %s: %d paths in it were changed.", root, sum(moved))


def _earlier_places(database: sqlite3.Connection, root: Path) -> list[Path]:
    """Folders where the store was before."""
    locations = database.execute("SELECT DISTINCT artifact_location FROM experiments")
    folders = {Path(path).parent for (path,) in locations if path and Path(path).name == ARTIFACTS}
    return sorted(folder for folder in folders if folder.name == root.name and folder != root)


def _move(database: sqlite3.Connection, old: Path, new: Path) -> int:
    """Change the paths below a folder; returns how many."""
    changed = 0
    for table, columns in PLACES.items():
        for column in columns:
            for path in list(_below(database, table, column, old)):
                now = new / Path(path).relative_to(old)
                if now.exists() or not Path(path).exists():
                    database.execute(
                        f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (str(now), path)
                    )
                    changed += 1
    return changed


def _below(database: sqlite3.Connection, table: str, column: str, folder: Path) -> Iterator[str]:
    """The different paths of a column that lie below a folder."""
    for (path,) in database.execute(f"SELECT DISTINCT {column} FROM {table}"):
        if path and Path(path).is_relative_to(folder):
            yield path
