"""UI view of an experiment: which pictures and curves MLflow's UI shows, and in which order.

MLflow stores a shared view as a tag of the experiment and opens it by its key. Its default layout
puts every parameter of a run above each picture, which pushes the picture out of sight.
"""

import base64
import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, get_args

from callbacks.figure_kind import FigureKind, Panel
from callbacks.pictures import PICTURES
from lightning_app.store.artifacts import files_below
from models.evaluation.metrics import METRICS

KEY = "pictures"
SHOWN_RUNS = 10  # that the UI shows by default
TAG = f"mlflow.sharedViewState.{KEY}"
CURVES = {
    "Validation": [f"val/{metric.name}" for metric in METRICS],
    "Training": ["train/accuracy", "train/loss", "train/loss_step"],
}
# Columns of the list of runs, beside name, start and duration, which MLflow always shows.
COLUMNS = ("metrics.`val/accuracy`", "metrics.`test/accuracy`", "tags.`backbone`")
# File names of MLflow's image grid.
IMAGE_FILE = re.compile(r"images/(?P<key>.+?)\+step\+(?P<step>\d+)\+timestamp")


def view_state(steps: Mapping[str, int] | None = None, num_runs: int = 1) -> str:
    """Value of `TAG`, the tag that holds the view.

    Args:
        steps: Epoch at which the slider of a picture starts, by the picture's key; 0 for others.
        num_runs: Runs with pictures. With several, a picture has a row of its own, where those of
            three runs stand side by side; in half a row they would stand one below the other.
    """
    steps = steps or {}
    images = {
        panel: [_image_chart(panel, key, steps.get(key, 0)) for key in keys]
        for panel, keys in image_panels().items()
    }
    lines = {panel: [_line_chart(panel, key) for key in keys] for panel, keys in CURVES.items()}
    panels = images | lines
    state = {
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "selectedColumns": list(COLUMNS),
        "runsHiddenMode": "FIRST_10_RUNS",
        "hideEmptyCharts": True,
        "autoRefreshEnabled": True,
        "compareRunSections": [
            _section(panel, 1 if panel in images and num_runs > 1 else 2) for panel in panels
        ],
        "compareRunCharts": [chart for charts in panels.values() for chart in charts],
        "isAccordionReordered": True,  # otherwise the sections are sorted by name
    }
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    return f"deflate;{packed}"  # uncompressed, it would be too long for a tag


def image_panels() -> dict[Panel, list[str]]:
    """Keys of the image grid that each panel shows, in the order of `PICTURES`."""
    kinds = [kind for picture in PICTURES.values() for kind in picture.kinds]
    return {panel: _image_keys(panel, kinds) for panel in get_args(Panel)}


def _image_keys(panel: Panel, kinds: Iterable[FigureKind]) -> list[str]:
    shown = [kind.figures or (kind.name,) for kind in kinds if kind.panel == panel]
    return [f"val/{figure}" for figures in shown for figure in figures]


def last_steps(runs: Iterable[Sequence[str]]) -> dict[str, int]:
    """Epoch at which to show each picture, by its key.

    MLflow shows an image at exactly the chosen epoch or not at all. So this is the last epoch that
    all runs with that picture share or, if they share none, the last epoch of the first run.

    Args:
        runs: For each run, the paths of its files in `images`.
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


def view_path(experiment_id: str, mode: Literal["CHART", "TABLE"] = "CHART") -> str:
    """Path of an experiment in this view, to be appended to the address of the UI.

    Args:
        experiment_id: Id of the experiment.
        mode: `CHART` for the pictures, beside which MLflow shows the names of the runs alone;
            `TABLE` for the list of runs with its columns.
    """
    query = f"workflowType=machine_learning&compareRunsMode={mode}&viewStateShareKey={KEY}"
    return f"/#/experiments/{experiment_id}/runs?{query}"


def open_at_last_epoch(client: Any, experiment_id: str) -> None:
    """Let the sliders of an experiment start at the last epoch of its newest runs."""
    newest = client.search_runs(
        [experiment_id], order_by=["start_time DESC"], max_results=SHOWN_RUNS
    )
    images = [files_below(client, run, "images") for run in newest]
    state = view_state(last_steps(images), sum(map(bool, images)))
    client.set_experiment_tag(experiment_id, TAG, state)


def _section(name: str, columns: int) -> dict[str, Any]:
    return {
        "uuid": name,
        "name": name,
        "display": True,
        "isReordered": True,
        "deleted": False,
        "isGenerated": False,
        "columns": columns,
        "cardHeight": 460,
    }


def _image_chart(panel: str, key: str, step: int) -> dict[str, Any]:
    image = {"imageKeys": [key], "step": step, "showRunParams": False}
    return _chart(panel, key, "IMAGE") | image


def _line_chart(panel: str, key: str) -> dict[str, Any]:
    return _chart(panel, key, "LINE") | {
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


def _chart(panel: str, key: str, kind: str) -> dict[str, Any]:
    return {
        "uuid": key,
        "type": kind,
        "runsCountToCompare": 10,
        "metricSectionId": panel,
        "deleted": False,
        "isGenerated": False,
    }
