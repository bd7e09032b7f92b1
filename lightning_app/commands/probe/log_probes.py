"""Runs of probed networks in MLflow: one for each network, below one with the table and figure."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from mlflow import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

from callbacks.plots.probe import plot_probes
from callbacks.tracking import store_figure, store_table
from datamodules import ImageDataModule
from lightning_app.commands.probe.probed_networks import ProbedNetwork
from lightning_app.store.locations import ROOT, create_experiment, store_lock, tracking_uri

EXPERIMENT = "probe"


def log_probes(
    found: Sequence[ProbedNetwork], data: ImageDataModule, title: str
) -> tuple[Figure, dict[str, list[Any]]]:
    """Log the results, and return their figure and the columns of their table.

    Args:
        found: The networks, the best first.
        data: The dataset.
        title: Title of the figure.
    """
    ROOT.mkdir(parents=True, exist_ok=True)
    uri = tracking_uri()
    with store_lock(ROOT):
        client = MlflowClient(uri)
        experiment = create_experiment(client, EXPERIMENT, ROOT, uri)
    name = f"probe {getattr(data.place, 'name', data.place) or type(data).__name__}"
    parent = client.create_run(experiment, tags={MLFLOW_RUN_NAME: name}).info.run_id
    rows = [_row(network) for network in found]
    for network, row in zip(found, rows, strict=True):
        tags = {MLFLOW_RUN_NAME: network.name, MLFLOW_PARENT_RUN_ID: parent}
        run_id = client.create_run(experiment, tags=tags).info.run_id
        client.log_param(run_id, "model.backbone", network.name)
        client.log_param(run_id, "data", str(data.place))
        client.log_param(run_id, "data.image_size", data.image_size)
        for key, value in row.items():
            if isinstance(value, int | float):
                client.log_metric(run_id, key, value)
        client.set_terminated(run_id)
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    figure = plot_probes(
        [network.name for network in found],
        {
            "logistic regression": [n.linear for n in found],
            "nearest neighbour": [n.neighbour for n in found],
        },
        [network.parameters for network in found],
        title,
    )
    store_table(client, parent, columns, "probe")
    client.log_text(parent, pd.DataFrame(columns).to_csv(index=False), "probe.csv")
    store_figure(client, parent, figure, "figures/probe.png")
    client.set_terminated(parent)
    return figure, columns


def _row(network: ProbedNetwork) -> dict[str, Any]:
    row: dict[str, Any] = {"network": network.name}
    for name, score in (("linear", network.linear), ("neighbour", network.neighbour)):
        row |= {f"{name}/{key}": round(value, 4) for key, value in score._asdict().items()}
    return row | {
        "parameters": network.parameters,
        "features": network.num_features,
        "images": network.num_images,
        "seconds": round(network.seconds, 2),
    }
