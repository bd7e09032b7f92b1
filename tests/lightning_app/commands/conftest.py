"""A small configuration, and a checkpoint of a real fit, shared by the commands that need one."""

import pytest

from lightning_app.main import main


@pytest.fixture(scope="session")
def small_config():
    """Function that makes the configuration of a small fit; options are those of its data."""

    def make(experiment, num_images=80, batch_size=16, **data):
        data = {"num_images": num_images, "batch_size": batch_size, **data}
        backbone = {"class_path": "SmallCNN", "init_args": {"width": 4}}
        return {
            "data": {"class_path": "SyntheticDataModule", "init_args": data},
            "model": {"class_path": "ImageClassifier", "init_args": {"backbone": backbone}},
            "trainer": {
                "max_epochs": 1,
                "accelerator": "cpu",
                "enable_progress_bar": False,
                "logger": {"init_args": {"experiment_name": experiment}},
            },
            "pictures": {"budget": 0},
            "report": False,
        }

    return make


@pytest.fixture(scope="session")
def trained(in_new_folder, small_config):
    """A folder with a fit, shared by all tests: they write elsewhere, or below `explanations`."""
    config = small_config("explained")
    config["trainer"]["logger"]["init_args"]["run_name"] = "small"
    with in_new_folder("trained", config) as folder:
        main(["fit", "--config", "config.yaml"])
    return folder
