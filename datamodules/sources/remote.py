"""Read files from a server with fsspec, and retry if that fails."""

import logging
import time
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from datamodules.redaction import redact_text

WAITS = (0.0, 2.0, 8.0, 30.0)  # seconds before each further attempt
EXTRA = (
    "pip install 'lightning-image-classification[shards]', or in a checkout: uv sync --extra shards"
)

log = logging.getLogger(__name__)


class StorageError(ValueError):
    """A stored file is missing, out of reach or has the wrong content; the message names it."""

    def __init__(self, message: str) -> None:
        super().__init__(redact_text(message))  # URLs may hold passwords


def is_remote(root: str) -> bool:
    """Whether this is a URL and not a local folder."""
    return "://" in root


def read_bytes(url: str, start: int | None = None, end: int | None = None) -> bytes:
    """Read a file from a server, or its bytes from `start` up to `end`.

    A server that does not support ranges sends the whole file.

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
        except Exception as error:  # each of fsspec's protocols has its own errors
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(".: ")
            wait = next(waits, None)
            if wait is None:
                text = f"{url} cannot be read after {len(WAITS) + 1} attempts: {reason}."
                raise StorageError(text) from error
        text = redact_text(f"{url} cannot be read ({reason})")
        log.warning("%s; trying again in %g s.", text, wait)
        time.sleep(wait)


def _system_of(url: str) -> tuple[AbstractFileSystem, str]:
    try:
        return url_to_fs(url)
    except ImportError as error:
        raise StorageError(f"{url} needs a package that is not installed: {EXTRA}.") from error
    except ValueError as error:  # no such protocol
        raise StorageError(f"{url} cannot be read: {error}.") from None
