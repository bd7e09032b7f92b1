"""Spooled write: a call of the MLflow client as JSON, which is read without running any code."""

import base64
import binascii
import inspect
import io
import json
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

from callbacks.tracking import list_table, set_notice

VERSION = 1
FILE = "log_file"  # our own call: an artifact with its content
# Our own calls, which read the run first: the UI lists a table; a notice in the description.
OWN = {"list_table": list_table, "set_notice": set_notice}
WRITES = {
    *("log_artifact", "log_batch", "log_figure", "log_image", "log_inputs", "log_text"),
    *("set_tag", "set_terminated", *OWN),
}
SENT = (WRITES | {FILE}) - {"log_artifact", "log_figure"}  # these two become `FILE`
NUMBER = (int, float)
FIELDS: dict[type, dict[str, Any]] = {  # of MLflow's entities: arguments and their types
    Metric: {"key": str, "value": NUMBER, "timestamp": int, "step": int},
    Param: {"key": str, "value": str},
    InputTag: {"key": str, "value": str},
    Dataset: {"name": str, "digest": str, "source_type": str, "source": str, "profile": str},
}
ARGUMENTS: dict[str, Any] = {
    **dict.fromkeys(("run_id", "key", "text", "artifact_file", "status"), str),
    **{"value": (str, *NUMBER), "step": int, "content": bytes, "image": np.ndarray},
    **dict.fromkeys(("metrics", "params", "datasets"), list),
}
ITEMS = (Metric, Param, DatasetInput, InputTag)  # of lists
ENTITIES = {entity.__name__: entity for entity in FIELDS}


class SpooledWrite(NamedTuple):
    """A call of the MLflow client.

    Attributes:
        call: Its name.
        arguments: Its arguments by their names.
    """

    call: str
    arguments: dict[str, Any]

    def send(self, client: Any) -> None:
        """Call the client."""
        if self.call in OWN:
            OWN[self.call](client, **self.arguments)
            return
        if self.call != FILE:
            getattr(client, self.call)(**self.arguments)
            return
        place = PurePosixPath(self.arguments["artifact_file"])
        folder = str(place.parent) if place.parent.name else None
        with TemporaryDirectory() as temporary:
            file = Path(temporary, place.name)
            file.write_bytes(self.arguments["content"])
            client.log_artifact(self.arguments["run_id"], str(file), folder)


def encode(call: str, args: Any, kwargs: Any) -> bytes:
    """A call as JSON: figures as PNG files, artifacts with their content.

    Raises:
        TypeError: If an argument is of a kind that cannot be expressed.
    """
    arguments = _bind(call, *args, **kwargs)
    if call == "log_figure":
        ending = PurePosixPath(arguments["artifact_file"]).suffix
        arguments["content"] = _drawn(arguments.pop("figure"), ending)
        call = FILE
    elif call == "log_artifact":
        local = Path(arguments.pop("local_path"))
        place = PurePosixPath(arguments.pop("artifact_path", None) or "", local.name)
        arguments |= {"artifact_file": str(place), "content": local.read_bytes()}
        call = FILE
    entry = {"version": VERSION, "call": call, "arguments": arguments}
    return json.dumps(entry, default=_plain).encode()


def decode(content: bytes) -> SpooledWrite:
    """Read a call.

    Raises:
        ValueError: If the content is damaged, or calls anything else than `encode` writes.
    """
    try:
        entry = json.loads(content, object_hook=_object)
        if entry["version"] != VERSION or entry["call"] not in SENT:
            raise ValueError(f"version {entry['version']}, call {entry['call']!r}")
        call, arguments = entry["call"], entry["arguments"]
        _check(arguments, {name: ARGUMENTS[name] for name in arguments})
        if call == FILE:
            _check(arguments, {"run_id": str, "artifact_file": str, "content": bytes})
        else:
            _bind(call, **arguments)
        if ".." in PurePosixPath("/", arguments.get("artifact_file", "")).parts:
            raise ValueError(f"the artifact {arguments['artifact_file']} leaves its run")
    except (KeyError, TypeError, ValueError, RecursionError, binascii.Error) as error:
        raise ValueError(f"it is not a spooled write ({error})") from None
    return SpooledWrite(call, arguments)


def _plain(value: Any) -> Any:
    """What `json` does not know, as a dict with the key `type`."""
    if isinstance(value, bytes):
        return {"type": "bytes", "data": base64.b64encode(value).decode()}
    if isinstance(value, np.ndarray) and value.dtype == np.uint8:
        data = base64.b64encode(value.tobytes()).decode()
        return {"type": "image", "shape": value.shape, "data": data}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, DatasetInput):
        return {"type": "DatasetInput", "dataset": value.dataset, "tags": value.tags}
    for entity, fields in FIELDS.items():
        if isinstance(value, entity):
            return {"type": entity.__name__, **{name: getattr(value, name) for name in fields}}
    raise TypeError(f"{type(value).__name__} cannot be spooled")


def _object(content: dict[str, Any]) -> Any:
    """The value of a dict with the key `type`; other dicts stay."""
    if "type" not in content:
        return content
    kind = content.pop("type")
    if kind == "bytes":
        return base64.b64decode(content["data"], validate=True)
    if kind == "image":
        pixels = np.frombuffer(base64.b64decode(content["data"], validate=True), np.uint8)
        return pixels.reshape(content["shape"])
    if kind == "DatasetInput":
        _check(content, {"dataset": Dataset, "tags": list})
        return DatasetInput(content["dataset"], content["tags"])
    entity = ENTITIES[kind]
    _check(content, FIELDS[entity])
    return entity(**content)


def _check(content: Any, fields: dict[str, Any]) -> None:
    """Refuse missing, additional and wrong values."""
    if content.keys() != fields.keys():
        raise ValueError(f"expected {', '.join(fields)}, got {', '.join(content)}")
    for name, kind in fields.items():
        if not isinstance(content[name], kind):
            raise ValueError(f"{name} is {content[name]!r}")
        if kind is list and not all(isinstance(item, ITEMS) for item in content[name]):
            raise ValueError(f"{name} holds something else than MLflow's entities")


def _bind(call: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """The arguments of a call by their names."""
    function = OWN.get(call) or getattr(MlflowClient, call)
    arguments = inspect.signature(function).bind(None, *args, **kwargs).arguments
    return dict(list(arguments.items())[1:])  # the first is the client


def _drawn(figure: Figure, ending: str) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=ending.removeprefix(".") or "png")
    return stream.getvalue()
