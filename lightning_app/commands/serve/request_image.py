"""Request image: the image and the options of an HTTP request."""

import base64
import binascii
from typing import NamedTuple

from flask import Request

from datamodules.sources.image_limits import UnreadableImageError

EXPECTED = (
    "expected the bytes of an image file, a form with the file as `image`, or JSON "
    '{"image": "<base64>"}'
)
MAX_NEAREST = 100
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class RequestError(ValueError):
    """A request that cannot be answered; the message says what was expected."""


class Wanted(NamedTuple):
    """What a request asks for; see `PredictionService.answer`."""

    grad_cam: bool
    nearest: int


def image_of(request: Request) -> bytes:
    """The content of the image file in a request.

    Raises:
        RequestError: If it has none.
    """
    if request.is_json:
        return _of_json(request)
    if request.mimetype == "multipart/form-data":
        file = request.files.get("image")
        if file is None:
            raise RequestError(f"The form has no file `image`; {EXPECTED}.")
        return file.read()
    if not (data := request.get_data()):  # whatever type it says: curl says it is a form
        raise RequestError(f"The request is empty; {EXPECTED}.")
    return data


def wanted_of(request: Request) -> Wanted:
    """The options in the address of a request: `?grad_cam=true&nearest=6`.

    Raises:
        RequestError: If one has another value than is possible.
    """
    grad_cam = request.args.get("grad_cam", "false")
    nearest = request.args.get("nearest", "0")
    if grad_cam not in BOOLEANS:
        raise RequestError(f"grad_cam is {grad_cam[:20]!r}; expected true or false.")
    if len(nearest) > 3 or not (nearest.isascii() and nearest.isdecimal()):
        raise RequestError(f"nearest is {nearest[:20]!r}; expected a number, 0 to {MAX_NEAREST}.")
    if int(nearest) > MAX_NEAREST:
        raise RequestError(f"nearest is {nearest}; expected {MAX_NEAREST} or less.")
    return Wanted(BOOLEANS[grad_cam], int(nearest))


def _of_json(request: Request) -> bytes:
    content = request.get_json(silent=True)
    text = content.get("image") if isinstance(content, dict) else None
    if not isinstance(text, str):
        raise RequestError(f"There is no JSON with a text `image`; {EXPECTED}.")
    encoded = text.partition("base64,")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableImageError(
            f"The text {text[:20]!r} is not the base64 text of an image file."
        ) from error
