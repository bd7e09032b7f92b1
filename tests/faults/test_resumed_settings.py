"""A resumed fit goes on with the right learning rate, and says which settings are others."""

from pathlib import Path

import pytest
import yaml

from lightning_app.main import main

CONFIG = {
    "data": {
        "class_path": "SyntheticDataModule",
        "init_args": {"num_images": 80, "batch_size": 16},
    },
    "model": {
        "class_path": "ImageClassifier",
        "init_args": {
            "backbone": {"class_path": "SmallCNN", "init_args": {"width": 4}},
            "lr_scheduler": {"class_path": "CosineDecay"},
        },
    },
    "trainer": {
        "accelerator": "cpu",
        "enable_progress_bar": False,
        "logger": {"init_args": {"experiment_name": "resumed"}},
    },
    "pictures": {"budget": 0},
    "report": False,
}


@pytest.fixture
def fit(workplace):
    """Function that fits with some options."""
    Path("config.yaml").write_text(yaml.safe_dump(CONFIG))
    return lambda *options: main(["fit", "--config", "config.yaml", *options])


def test_resumed_fit_has_the_rate_of_the_longer_schedule_and_names_what_differs(
    fit, client, capsys
):
    fit("--trainer.max_epochs=2")
    more = ["--trainer.max_epochs=4", "--ckpt_path=last"]
    with pytest.raises(SystemExit, match="1"):
        fit(*more, "--model.backbone.width=6")
    assert "model.backbone.width is 4, not 6. Leave these options out" in capsys.readouterr().err
    with pytest.warns(UserWarning, match=r"settings: seed_everything 1 \(was 0\); trainer.max_"):
        fit(*more, "--seed_everything=1")
    [run] = client.search_runs([client.get_experiment_by_name("resumed").experiment_id])
    rates = client.get_metric_history(run.info.run_id, "lr/head")
    assert [(point.step, point.value) for point in rates][::2] == [(0, 0.001), (2, 0.0005)]
