"""Fetch a file, and go on where it broke off."""

import time
from http.client import HTTPException
from pathlib import Path
from ssl import SSLError
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tqdm import tqdm

ATTEMPTS = 5  # in a row that may bring nothing
PAUSE = 2.0  # seconds after an attempt that brought nothing
TIMEOUT = 30.0  # seconds without a byte, after which the connection counts as broken
CHUNK = 1 << 18  # bytes
PATIENCE = 2.0  # seconds before a progress bar appears
AGENT = "pytorch/vision"  # what torchvision calls itself: the servers of its sets know it
PARTIAL, NOT_SATISFIABLE = 206, 416  # answers to a request for the rest of a file
BREAKS = (ConnectionError, TimeoutError, HTTPException, SSLError)


class DownloadError(RuntimeError):
    """A file that cannot be fetched; on a RuntimeError torchvision tries the next mirror.

    Args:
        url: What was to be fetched.
        file: Where it belongs.
        reason: What happened instead.
    """

    def __init__(self, url: str, file: Path, reason: str) -> None:
        super().__init__(
            f"{url} cannot be fetched: {reason}. Fetch it elsewhere and put it at {file}."
        )


def fetch(url: str, file: Path) -> None:
    """Download a file; what has come is kept beside it as `.part`, for the next run too.

    Raises:
        DownloadError: If the server cannot be reached or refuses, or `ATTEMPTS` in a row bring
            nothing.
    """
    part = file.with_name(f"{file.name}.part")
    size = first_size = _size(part)
    failures = 0
    while failures < ATTEMPTS:
        try:
            _receive(url, part)
        except HTTPError as error:
            reason = f"the server answers {error.code} {error.reason}"
            raise DownloadError(url, file, reason) from error
        except (URLError, *BREAKS) as error:
            if isinstance(error, URLError) and _size(part) == first_size:
                reason = f"there seems to be no network ({error.reason})"
                raise DownloadError(url, file, reason) from error
            failures = failures + 1 if _size(part) <= size else 0
            size = _size(part)
            time.sleep(PAUSE if failures else 0)
        else:
            part.replace(file)
            return
    reason = f"the connection broke {ATTEMPTS} times in a row; the next start goes on from there"
    raise DownloadError(url, file, reason)


def _receive(url: str, part: Path) -> None:
    """Fetch what a partial file lacks.

    Raises:
        HTTPError: If the server refuses.
        ConnectionError: If less came than was announced, or the partial file is too long.
    """
    offset = _size(part)
    headers = {"User-Agent": AGENT}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    try:
        response = urlopen(Request(url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        if error.code != NOT_SATISFIABLE or not offset:
            raise
        if error.headers.get("Content-Range", "").rpartition("/")[2] in ("", "*", str(offset)):
            return  # all of it is there
        part.unlink()
        raise ConnectionError(f"{part} was longer than the file") from error
    with response:
        expected = _append(response, part, offset if response.status == PARTIAL else 0)
    if expected is not None and _size(part) != expected:
        raise ConnectionError(f"{_size(part)} of {expected} bytes")


def _append(response: Any, part: Path, offset: int) -> int | None:
    """Write what comes behind the first `offset` bytes; tell how many there should be then."""
    expected = None if response.length is None else offset + response.length
    with (
        part.open("ab" if offset else "wb") as stream,
        tqdm(
            desc=part.stem,
            total=expected,
            initial=offset,
            delay=PATIENCE,
            unit="B",
            unit_scale=True,
        ) as bar,
    ):
        while chunk := response.read1(CHUNK):
            bar.update(stream.write(chunk))
    return expected


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0
