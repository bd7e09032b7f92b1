"""A small base to vary."""

import pytest
import yaml

BASE = {
    "data": {
        "class_path": "SyntheticDataModule",
        "init_args": {"num_images": 80, "batch_size": 16, "num_workers": 0},
    },
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {
            "backbone": {"class_path": "SmallCNN", "init_args": {"width": 4}},
            "optimizer": {"class_path": "torch.optim.AdamW", "init_args": {"lr": 3e-3}},
        },
    },
    "trainer": {
        "max_epochs": 1,
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "logger": {"init_args": {"experiment_name": "parts"}},
    },
    "pictures": {"budget": 0},
    "report": False,
}


@pytest.fixture
def base(workplace):
    """The base in a file."""
    file = workplace / "base.yaml"
    file.write_text(yaml.safe_dump(BASE))
    return file


@pytest.fixture
def write_plan(base):
    """Write the file of an ablation of the base."""

    def write(**plan):
        file = base.with_name("parts.yaml")
        file.write_text(yaml.safe_dump({"base": "base.yaml", **plan}, sort_keys=False))
        return file

    return write
