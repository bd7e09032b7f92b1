"""Read what lies on a server, by any protocol that fsspec knows, and try again when that fails."""

import logging
import time
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

WAITS = (0.0, 2.0, 8.0, 30.0)  # seconds before each further attempt
EXTRA = (
    "pip install 'lightning-image-classification[shards]', or in a checkout: uv sync --extra shards"
)

log = logging.getLogger(__name__)


class StorageError(ValueError):
    """What is stored is missing, out of reach or not what it should be; the text names the file."""


def is_remote(root: str) -> bool:
    """Whether this is a URL, not a folder of this machine."""
    return "://" in root


def read_bytes(url: str, start: int | None = None, end: int | None = None) -> bytes:
    """Read a file of a server, or the bytes from `start` up to `end` of it.

    A server that knows no ranges sends the whole file, whatever was asked for.

    Raises:
        StorageError: If there is no such file, or all attempts to read it fail.
    """
    system, path = _system_of(url)
    waits = iter(WAITS)
    while True:
        try:
            # By keyword: in s3fs the second argument is a version.
            content: Any = system.cat_file(path, start=start, end=end)
            return content
        except FileNotFoundError:
            raise StorageError(f"There is no {url}.") from None
        except Exception as error:  # each of fsspec's protocols raises kinds of its own
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(".: ")
            wait = next(waits, None)
            if wait is None:
                text = f"{url} cannot be read, in {len(WAITS) + 1} attempts: {reason}."
                raise StorageError(text) from error
        log.info("%s cannot be read (%s); trying again in %g s.", url, reason, wait)
        time.sleep(wait)


def _system_of(url: str) -> tuple[AbstractFileSystem, str]:
    try:
        return url_to_fs(url)
    except ImportError as error:
        raise StorageError(f"{url} needs a package that is not installed: {EXTRA}.") from error
    except ValueError as error:  # no such protocol
        raise StorageError(f"{url} cannot be read: {error}.") from None
