"""Downloads of torchvision's datasets that resume, and archives that are unpacked atomically."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from torchvision.datasets import caltech, mnist, utils

from datamodules.known_sets.fetch import DownloadError, fetch

IS_INTACT, UNPACK = utils.check_integrity, utils.extract_archive  # torchvision's own


class Downloads:
    """Functions that torchvision's datasets call to download, in place of torchvision's own."""

    def __init__(self) -> None:
        self.sources: dict[str, str] = {}  # URL of each downloaded file until it is checked

    def retrieve(self, url: str, filename: str | Path, chunk_size: int = 0) -> None:
        """Download a file; torchvision's `_urlretrieve` does not resume after an interruption."""
        fetch(url, Path(filename))
        self.sources[str(filename)] = url

    def is_intact(self, fpath: str | Path, md5: str | None = None) -> bool:
        """Compare checksums; a file that was just downloaded and is damaged is downloaded again.

        Raises:
            DownloadError: If it is damaged again.
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
            raise DownloadError(url, file, f"its MD5 checksum was twice not {md5}")
        return True

    def unpack(
        self,
        from_path: str | Path,
        to_path: str | Path | None = None,
        remove_finished: bool = False,
    ) -> None:
        """Unpack an archive beside its target, and move it there when all of it is unpacked.

        torchvision takes a folder that exists for a complete one.
        """
        archive = Path(from_path)
        target = Path(to_path) if to_path else archive.parent
        unfinished = target / f".{archive.name}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)  # from an interrupted run
        unfinished.mkdir(parents=True)
        UNPACK(archive, unfinished)
        _move_into(unfinished, target)
        unfinished.rmdir()


@contextmanager
def resuming_downloads() -> Iterator[None]:
    """Let torchvision's datasets download with `Downloads`.

    Raises:
        DownloadError: If a file cannot be downloaded, or its checksum stays wrong.
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
    """Move the content of a folder, merging folders of the same name."""
    for path in list(folder.iterdir()):
        place = target / path.name
        if path.is_dir() and place.is_dir():
            _move_into(path, place)
            path.rmdir()
        else:
            path.replace(place)
