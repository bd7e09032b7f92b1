"""Read files from a server with fsspec, and retry if that fails."""

import logging
import time
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.config import conf
from fsspec.core import url_to_fs

from datamodules.redaction import redact_text

WAITS = (0.0, 2.0, 8.0, 30.0)  # seconds before each further attempt
SILENCE = 60.0  # seconds until a server that sends nothing counts as gone
REFUSALS = (401, 403)  # status codes
EXTRA = (
    "pip install 'lightning-image-classification[shards]', or in a checkout: uv sync --extra shards"
)

UPLOAD = (
    "Name the folder that `lightning_cli prepare shard` wrote with --data.root, and upload all of "
    "its files."
)
ACCESS = (
    "Check the credentials: for s3:// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws, and "
    "AWS_ENDPOINT_URL if the service is another one; for https://, USER:PASSWORD@ before the name "
    "of the server. S3 also refuses a file that is not there to those who may not list the bucket."
)
RESUME = "A fit can be resumed when the server answers."

log = logging.getLogger(__name__)


class StorageError(ValueError):
    """A stored file is missing, out of reach or has the wrong content; the message names it."""

    def __init__(self, message: str) -> None:
        super().__init__(redact_text(message))  # URLs may hold passwords


def is_remote(root: str) -> bool:
    """Whether this is a URL and not a local folder."""
    return "://" in root


def read_bytes(
    url: str, start: int | None = None, end: int | None = None, patient: bool = True
) -> bytes:
    """Read a file from a server, or its bytes from `start` up to `end`.

    A server that does not support ranges sends the whole file.

    Args:
        url: URL of the file.
        start: First byte; None for the whole file.
        end: The byte behind the last one.
        patient: Whether to wait for a server that does not answer; else there are two attempts.

    Raises:
        StorageError: If there is no such file, or all attempts to read it fail.
    """
    system, path = _system_of(url)
    allowed = WAITS if patient else WAITS[:1]
    waits = iter(allowed)
    while True:
        try:
            # By keyword: in s3fs the second argument is a version.
            content: Any = system.cat_file(path, start=start, end=end)
            return content
        except FileNotFoundError:
            raise StorageError(f"There is no {url}. {UPLOAD}") from None
        except Exception as error:  # each of fsspec's protocols has its own errors
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(".: ")
            if _is_refusal(error):
                raise StorageError(f"{url} may not be read ({reason}). {ACCESS}") from None
            wait = next(waits, None)
            if wait is None:
                text = f"{url} cannot be read after {len(allowed) + 1} attempts: {reason}. {RESUME}"
                raise StorageError(text) from error
        text = redact_text(f"{url} cannot be read ({reason})")
        log.warning("%s; trying again in %g s.", text, wait)
        time.sleep(wait)


def _system_of(url: str) -> tuple[AbstractFileSystem, str]:
    try:
        return url_to_fs(url, **_options_of(url.partition("://")[0]))
    except ImportError as error:
        raise StorageError(f"{url} needs a package that is not installed: {EXTRA}.") from error
    except ValueError as error:  # no such protocol
        raise StorageError(f"{url} cannot be read: {error}.") from None


def _options_of(protocol: str) -> dict[str, Any]:
    """What is not left to fsspec: how long to wait for a server that is silent."""
    if protocol in ("http", "https"):
        from aiohttp import ClientTimeout  # slow to import

        # fsspec's own limit is five minutes for the whole request, however much has come by then.
        name, own = "client_kwargs", {"timeout": ClientTimeout(None, sock_read=SILENCE)}
    elif protocol == "s3":
        # s3fs tries five times; boto, which would do so each time, does not.
        name, own = "config_kwargs", {"retries": {"max_attempts": 0}}
    else:
        return {}
    return {name: {**own, **conf.get(protocol, {}).get(name, {})}}


def _is_refusal(error: Exception) -> bool:
    """Whether another attempt cannot help: the server does not know the user, or there is none."""
    return (
        isinstance(error, PermissionError)
        or getattr(error, "status", None) in REFUSALS  # aiohttp's
        or "Credentials" in type(error).__name__  # botocore's
    )
