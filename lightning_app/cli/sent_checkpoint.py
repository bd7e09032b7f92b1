"""Checkpoint on several machines without a shared folder: rank 0 sends it to those that lack it."""

from collections.abc import Callable
from pathlib import Path

from datamodules.atomic_files import atomic_write
from lightning_app.cli.ranks import Ranks, agreed, started_ranks
from lightning_app.store.locations import ROOT
from lightning_app.store.uploaded_checkpoint import digest_of

PART = 4 * 2**20  # bytes of a message; the store takes 8 MiB at most
RECEIVED = "received"  # folder in that of the store, with one copy for each run


def checkpoint_on_all_ranks(choose: Callable[[], Path | None], root: Path = ROOT) -> Path | None:
    """The checkpoint that rank 0 chooses, as a file on the machine of this rank.

    A machine that has the same file at the same path uses it; rank 0 sends it to the others.

    Args:
        choose: Finds it; called by rank 0 only, unless Lightning starts the ranks.
        root: Folder of the store, in which a file that was sent is kept.

    Raises:
        ValueError: If there is no such checkpoint, or a machine cannot receive it: on all ranks.
    """

    def chosen() -> tuple[str, str] | None:
        path = choose()
        return path and (str(path), digest_of(path) if started_ranks() else "")

    found, ranks = agreed("checkpoint", chosen), started_ranks()
    if found is None or ranks is None or ranks.rank == 0:
        if found and ranks:
            agreed("sent", lambda: _send(ranks, Path(found[0])))
        return found and Path(found[0])
    path, digest = Path(found[0]), found[1]
    copy = root / RECEIVED / path.absolute().parent.name / path.name
    lacks = ranks.is_first and _same(digest, path, copy) is None
    ranks.put(f"{ranks.rank} lacks it", b"yes" if lacks else b"")
    if lacks:
        _receive(ranks, copy)
    agreed("sent", lambda: None)
    if (file := _same(digest, path, copy)) is None:
        raise ValueError(f"{copy} is not what rank 0 has sent, {path}.")
    return file


def _same(digest: str, *files: Path) -> Path | None:
    """The first of some files that has the right content."""
    return next((file for file in files if file.is_file() and digest_of(file) == digest), None)


def _send(ranks: Ranks, path: Path) -> None:
    """Send a file to all machines that lack it, part by part, so that memory holds one part."""
    others = [rank for rank in range(1, ranks.size) if ranks.get(f"{rank} lacks it")]
    if not others:
        return
    size = path.stat().st_size
    ranks.put("parts", str(-(-size // PART)).encode())
    with path.open("rb") as stream:
        for number, part in enumerate(iter(lambda: stream.read(PART), b"")):
            ranks.put(f"part {number}", part)
            for rank in others:
                if failure := ranks.get(f"{rank} has part {number}").decode():
                    raise ValueError(
                        f"Rank {rank} lacks the checkpoint {path} and cannot receive it: "
                        f"{failure}. Copy the file to the same path on its machine."
                    )
            ranks.store.delete_key(f"part {number}")


def _receive(ranks: Ranks, file: Path) -> None:
    """Receive a file. If that fails, tell rank 0, which stops all processes with an error."""
    number, parts = 0, int(ranks.get("parts"))
    try:
        with atomic_write(file) as unfinished, unfinished.open("wb") as stream:
            for number in range(parts):
                stream.write(ranks.get(f"part {number}"))
                stream.flush()
                ranks.put(f"{ranks.rank} has part {number}", b"")
    except OSError as error:
        ranks.put(f"{ranks.rank} has part {number}", f"{error}".encode())
