"""Download one file, and resume where an earlier attempt stopped."""

import time
from http.client import HTTPException
from pathlib import Path
from ssl import SSLError
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tqdm import tqdm

ATTEMPTS = 5  # in a row without a new byte
PAUSE = 2.0  # seconds after an attempt without a new byte
TIMEOUT = 30.0  # seconds without a byte, after which the connection counts as broken
CHUNK = 1 << 18  # bytes
PATIENCE = 2.0  # seconds before a progress bar appears
AGENT = "pytorch/vision"  # torchvision's own, which the servers of its datasets accept
PARTIAL, NOT_SATISFIABLE = 206, 416  # HTTP status for a request of the rest of a file
BREAKS = (ConnectionError, TimeoutError, HTTPException, SSLError)


class DownloadError(RuntimeError):
    """A file that cannot be downloaded; torchvision tries the next mirror on a RuntimeError.

    Args:
        url: URL of the file.
        file: The local path where it belongs.
        reason: Why it failed.
    """

    def __init__(self, url: str, file: Path, reason: str) -> None:
        super().__init__(
            f"{url} cannot be downloaded: {reason}. Get the file elsewhere and save it as {file}."
        )


def fetch(url: str, file: Path) -> None:
    """Download a file; an incomplete one is kept as `.part`, from which a later run resumes.

    Raises:
        DownloadError: If the server cannot be reached or refuses, or `ATTEMPTS` in a row receive
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
    reason = f"the connection broke {ATTEMPTS} times in a row; the next start resumes the download"
    raise DownloadError(url, file, reason)


def _receive(url: str, part: Path) -> None:
    """Download the missing rest of a partial file.

    Raises:
        HTTPError: If the server refuses.
        ConnectionError: If less arrived than announced, or the partial file is too long.
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
            return  # the file is complete
        part.unlink()
        raise ConnectionError(f"{part} was longer than the file") from error
    with response:
        expected = _append(response, part, offset if response.status == PARTIAL else 0)
    if expected is not None and _size(part) != expected:
        raise ConnectionError(f"{_size(part)} of {expected} bytes")


def _append(response: Any, part: Path, offset: int) -> int | None:
    """Write what follows the first `offset` bytes, and return the expected size of the file."""
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
