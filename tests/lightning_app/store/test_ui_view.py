import base64
import json
import zlib

import numpy as np
import pytest
from mlflow import MlflowClient

from lightning_app.store.ui_view import image_panels, last_steps, view_state


def test_panels_show_the_figures_of_a_fit_in_the_order_of_the_pictures():
    assert image_panels() == {
        "Overview": [
            "val/confusion_matrix",
            "val/grad_cam",
            "val/gradient_rollout",
            "val/attn_lrp",
            "val/saliency",
            "val/filters",
        ],
        "Layer activations": [f"val/feature_maps/{name}" for name in ("first", "middle", "last")],
        "Mistakes": [
            "val/confusion_counts",
            "val/confusion_numbers",
            "val/per_class",
            "val/mistakes/top_loss",
            "val/mistakes/top_confusion",
            "val/mistakes/most_confident",
            "val/calibration",
            "val/prediction_sets",
            "val/unknowns",
            "val/embedding",
            "val/embedding_tsne",
        ],
    }


def files(key, *steps):
    end = "timestamp+1795945605507+e781c4ff.png"
    return [f"images/{key.replace('/', '~')}+step+{step}+{end}" for step in steps]


def test_a_run_is_shown_at_its_last_epoch():
    drawn = files("val/grad_cam", 0, 8, 14) + files("val/embedding", 14)
    assert last_steps([drawn]) == {"val/grad_cam": 14, "val/embedding": 14}


def test_runs_are_shown_at_the_last_epoch_that_they_share():
    long, short = files("val/filters", 0, 8, 14), files("val/filters", 0, 8, 9)
    without = files("val/grad_cam", 9)
    assert last_steps([long, without, short]) == {"val/filters": 8, "val/grad_cam": 9}


def test_without_a_shared_epoch_the_newest_run_counts():
    assert last_steps([files("val/filters", 3), files("val/filters", 5)]) == {"val/filters": 3}


def test_names_are_those_that_mlflow_gives(tmp_path):
    client = MlflowClient(f"sqlite:///{tmp_path}/store.db")
    experiment = client.create_experiment("e", artifact_location=(tmp_path / "files").as_uri())
    run_id = client.create_run(experiment).info.run_id
    client.log_image(run_id, np.zeros((2, 2, 3), np.uint8), key="val/mistakes/top_loss", step=7)
    names = [file.path for file in client.list_artifacts(run_id, "images")]
    assert last_steps([names]) == {"val/mistakes/top_loss": 7}


def state(*arguments):
    packed = view_state(*arguments).removeprefix("deflate;")
    return json.loads(zlib.decompress(base64.b64decode(packed)))


@pytest.mark.parametrize(("num_runs", "columns"), [(0, 2), (1, 2), (3, 1)])
def test_pictures_of_several_runs_have_a_row_of_their_own(num_runs, columns):
    sections = state({}, num_runs)["compareRunSections"]
    shown = {section["name"]: section["columns"] for section in sections}
    assert (shown["Overview"], shown["Mistakes"], shown["Training"]) == (columns, columns, 2)


def test_the_view_starts_at_these_epochs():
    charts = state({"val/grad_cam": 14})["compareRunCharts"]
    steps = {chart["uuid"]: chart.get("step") for chart in charts}
    assert (steps["val/grad_cam"], steps["val/filters"], steps["val/loss"]) == (14, 0, None)
