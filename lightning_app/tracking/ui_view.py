"""How the UI lays an experiment out: pictures and curves first, the same for everybody.

MLflow keeps a shared view as a tag of the experiment and opens it by its key. Its own layout puts
every parameter of a run above each picture, so that the picture is out of sight.
"""

import base64
import json
import zlib
from typing import Any

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
    "how well it does": (["val/accuracy", "val/loss", "val/f1_macro"], "LINE"),
    "how it learns": (["train/accuracy", "train/loss", "train/loss_step"], "LINE"),
}


def view_state() -> str:
    """The value of `TAG`."""
    state = {
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "runsHiddenMode": "FIRST_10_RUNS",
        "hideEmptyCharts": True,
        "autoRefreshEnabled": True,
        "compareRunSections": [_section(name) for name in SECTIONS],
        "compareRunCharts": [
            _chart(section, key, kind) for section, (keys, kind) in SECTIONS.items() for key in keys
        ],
        "isAccordionReordered": True,  # else the sections are sorted by name
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    return f"deflate;{packed}"  # plain, it would not fit into a tag


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


def _chart(section: str, key: str, kind: str) -> dict[str, Any]:
    chart: dict[str, Any] = {
        "uuid": key,
        "type": kind,
        "runsCountToCompare": 10,
        "metricSectionId": section,
        "deleted": False,
        "isGenerated": False,
    }
    if kind == "IMAGE":
        return chart | {"imageKeys": [key], "step": 0, "showRunParams": False}
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
