"""Images that no network of an ensemble or soup was trained on."""

from mlflow import MlflowClient
from mlflow.entities import Run

from datamodules import ImageDataModule
from lightning_app.cli.recorded_data import recorded_data
from lightning_app.cli.seen_images import count_seen
from lightning_app.store.describe_run import MEMBERS
from lightning_app.store.stored_run import open_stored_run

WORDS = {"val": "validation", "test": "test"}
ALL_SEEN = "images of all splits were trained on by one of its networks"


def unseen_split(client: MlflowClient | None, run: Run | None, data: ImageDataModule) -> str | None:
    """The split on which the accuracy of a network is measured.

    It is `val`, but for an ensemble or soup of folds, which has seen the validation images of each
    of them, `test`. None if the network was trained on images of both, or has no test images.

    Args:
        client: The store.
        run: The run of the network; None if it is not known.
        data: Its dataset.
    """
    if client is None or run is None or MEMBERS not in run.data.tags:
        return "val"
    with open_stored_run(client, run) as record:
        settings = recorded_data(record)
        for split in WORDS:
            if len(data.sources.get(split, ())) and not count_seen(record, data, split, settings):
                return split
    return None
