"""How the UI lays an experiment out: pictures and curves first, the same for everybody.

MLflow keeps a shared view as a tag of the experiment and opens it by its key. Its own layout puts
every parameter of a run above each picture, so that the picture is out of sight.
"""

import base64
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from models.evaluation.metrics import METRICS

KEY = "pictures"
TAG = f"mlflow.sharedViewState.{KEY}"
SECTIONS = {
    "what the network sees": (
        ["val/confusion_matrix", "val/grad_cam", "val/saliency", "val/filters"],
        "IMAGE",
    ),
    "what its layers answer": (
        ["val/feature_maps/first", "val/feature_maps/middle", "val/feature_maps/last"],
        "IMAGE",
    ),
    "what it gets wrong": (
        [
            *("val/mistakes/top_loss", "val/mistakes/top_confusion", "val/per_class"),
            *("val/calibration", "val/embedding", "val/embedding_tsne", "val/confusion_counts"),
        ],
        "IMAGE",
    ),
    "how well it does": ([f"val/{metric.name}" for metric in METRICS], "LINE"),
    "how it learns": (["train/accuracy", "train/loss", "train/loss_step"], "LINE"),
}


# How MLflow names the files of an image grid.
IMAGE_FILE = re.compile(r"images/(?P<key>.+?)\+step\+(?P<step>\d+)\+timestamp")


def view_state(steps: Mapping[str, int] | None = None) -> str:
    """The value of `TAG`.

    Args:
        steps: Epoch that the slider below a picture starts at, if not at 0.
    """
    steps = steps or {}
    state = {
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "runsHiddenMode": "FIRST_10_RUNS",
        "hideEmptyCharts": True,
        "autoRefreshEnabled": True,
        "compareRunSections": [_section(name) for name in SECTIONS],
        "compareRunCharts": [
            _chart(section, key, kind, steps.get(key, 0))
            for section, (keys, kind) in SECTIONS.items()
            for key in keys
        ],
        "isAccordionReordered": True,  # else the sections are sorted by name
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    return f"deflate;{packed}"  # plain, it would not fit into a tag


def last_steps(runs: Iterable[Sequence[str]]) -> dict[str, int]:
    """The last epoch of each picture, of those that all runs have which have the picture at all.

    MLflow shows an image at its very epoch or not at all, so runs of other lengths are compared
    at an epoch that they share. Without any it is the last one of the first run.

    Args:
        runs: Paths of the files in `images` of each run.
    """
    shared: dict[str, set[int]] = {}
    for files in runs:
        drawn: dict[str, set[int]] = {}
        for match in filter(None, map(IMAGE_FILE.match, files)):
            key = match["key"].replace("~", "/")
            drawn.setdefault(key, set()).add(int(match["step"]))
        for key, steps in drawn.items():
            shared[key] = shared.get(key, steps) & steps or shared[key]
    return {key: max(steps) for key, steps in shared.items()}


def view_path(experiment_id: str) -> str:
    """Where the UI shows an experiment in this view, without the address of the server."""
    query = f"workflowType=machine_learning&compareRunsMode=CHART&viewStateShareKey={KEY}"
    return f"/#/experiments/{experiment_id}/runs?{query}"


def _section(name: str) -> dict[str, Any]:
    return {
        "uuid": name,
        "name": name,
        "display": True,
        "isReordered": True,
        "deleted": False,
        "isGenerated": False,
        "columns": 2,
        "cardHeight": 460,
    }


def _chart(section: str, key: str, kind: str, step: int) -> dict[str, Any]:
    chart: dict[str, Any] = {
        "uuid": key,
        "type": kind,
        "runsCountToCompare": 10,
        "metricSectionId": section,
        "deleted": False,
        "isGenerated": False,
    }
    if kind == "IMAGE":
        return chart | {"imageKeys": [key], "step": step, "showRunParams": False}
    return chart | {
        "metricKey": key,
        "displayName": key,
        "lineSmoothness": 0,
        "scaleType": "linear",
        "xAxisScaleType": "linear",
        "xAxisKey": "step",
        "selectedXAxisMetricKey": "",
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "range": {},
        "ignoreOutliers": False,
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }
