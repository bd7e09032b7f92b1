"""Make torchvision's data sets resume their downloads, and unpack them whole or not at all."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from torchvision.datasets import caltech, mnist, utils

from datamodules.known_sets.fetch import DownloadError, fetch

IS_INTACT, UNPACK = utils.check_integrity, utils.extract_archive  # torchvision's own


class Downloads:
    """What torchvision's data sets call while they download, instead of torchvision's functions."""

    def __init__(self) -> None:
        self.sources: dict[str, str] = {}  # address of each file that was fetched, until checked

    def retrieve(self, url: str, filename: str | Path, chunk_size: int = 0) -> None:
        """Fetch a file; torchvision's `_urlretrieve` would start anew after each break."""
        fetch(url, Path(filename))
        self.sources[str(filename)] = url

    def is_intact(self, fpath: str | Path, md5: str | None = None) -> bool:
        """Compare checksums; a file that was just fetched and is not intact is fetched again.

        Raises:
            DownloadError: If it is not intact then either.
        """
        url, file = self.sources.pop(str(fpath), None), Path(fpath)
        if IS_INTACT(fpath, md5):
            return True
        if url is None:
            return False
        file.unlink()
        fetch(url, file)
        if not IS_INTACT(fpath, md5):
            file.unlink()
            raise DownloadError(url, file, f"it came twice with another MD5 checksum than {md5}")
        return True

    def unpack(
        self,
        from_path: str | Path,
        to_path: str | Path | None = None,
        remove_finished: bool = False,
    ) -> None:
        """Unpack an archive beside its place, and move it there when all of it is unpacked.

        A data set takes a folder that is there for a folder that is complete.
        """
        archive = Path(from_path)
        target = Path(to_path) if to_path else archive.parent
        unfinished = target / f".{archive.name}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)  # from a run that was stopped
        unfinished.mkdir(parents=True)
        UNPACK(archive, unfinished)
        _move_into(unfinished, target)
        unfinished.rmdir()


@contextmanager
def resuming_downloads() -> Iterator[None]:
    """Let torchvision's data sets download what they do with `Downloads`.

    Raises:
        DownloadError: If a file cannot be fetched, or its checksum stays wrong.
    """
    ours = Downloads()
    replacements: list[tuple[ModuleType, str, Callable[..., object]]] = [
        (utils, "_urlretrieve", ours.retrieve),
        (utils, "_get_redirect_url", lambda url, max_hops=3: url),  # `fetch` follows redirections
        (utils, "check_integrity", ours.is_intact),
        *((module, "extract_archive", ours.unpack) for module in (utils, caltech, mnist)),
    ]
    stock = [getattr(module, name) for module, name, _ in replacements]
    try:
        for module, name, function in replacements:
            setattr(module, name, function)
        yield
    finally:
        for (module, name, _), function in zip(replacements, stock, strict=True):
            setattr(module, name, function)


def _move_into(folder: Path, target: Path) -> None:
    """Move what a folder holds; where a folder of that name is, into that one."""
    for path in list(folder.iterdir()):
        place = target / path.name
        if path.is_dir() and place.is_dir():
            _move_into(path, place)
            path.rmdir()
        else:
            path.replace(place)
