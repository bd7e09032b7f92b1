"""A checkpoint of a real fit, shared by the commands that need one."""

import pytest

from lightning_app.main import main

CONFIG = {
    "data": {
        "class_path": "SyntheticDataModule",
        "init_args": {"num_images": 80, "batch_size": 16},
    },
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {"backbone": {"class_path": "SmallCNN", "init_args": {"width": 4}}},
    },
    "trainer": {
        "max_epochs": 1,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "logger": {"init_args": {"experiment_name": "explained", "run_name": "small"}},
    },
    "pictures": {"budget": 0},
    "report": False,
}


@pytest.fixture(scope="session")
def trained(in_new_folder):
    """A folder with a fit, shared by all tests: they write elsewhere, or below `explanations`."""
    with in_new_folder("trained", CONFIG) as folder:
        main(["fit", "--config", "config.yaml"])
    return folder
