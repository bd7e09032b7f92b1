"""Published recipes: the optimizer as it is built, and what its steps do to the weights."""

import copy
import csv

import pytest
import torch
from lightning.pytorch import Callback
from torch.nn.functional import cross_entropy

from lightning_app.cli import own_callbacks, training_commands
from lightning_app.cli.child_runs.checks import DryRunCLI
from models.randomness import reseed

ADAM = {"betas": (0.9, 0.999), "weight_decay": 0, "amsgrad": False}
SOURCES = {
    "simpsons_resnet152": (
        torch.optim.AdamW,
        {"lr": 1e-3, "betas": (0.9, 0.999), "weight_decay": 0.01, "amsgrad": True},
    ),
    "simpsons_resnext101": (torch.optim.Adam, {"lr": 1e-4, **ADAM}),
    "scenes_resnet50": (torch.optim.Adam, {"lr": 1e-3, **ADAM}),
    "fer2013_cnn": (torch.optim.Adam, {"lr": 1e-3, **ADAM}),
    "fer2013_dnn": (torch.optim.Adam, {"lr": 1e-3, **ADAM}),
}
DATASETS = {"simpsons": "simpsons", "scenes": "scenes", "fer2013": "faces"}


@pytest.mark.parametrize("name", SOURCES)
def test_optimizer_of_a_published_system_is_that_of_its_source(name, request):
    place = request.getfixturevalue(DATASETS[name.split("_")[0]])
    options = []
    if name.startswith("simpsons"):
        options = ["--model.backbone.pretrained=false"]
    if name == "simpsons_resnext101":
        write_manifest(place / "data" / "manifest.csv")
        options += ["--data.manifest=data/manifest.csv"]
    with torch.device("meta"):
        cli = training_commands.run(
            ["fit", "--config", f"configs/{name}.yaml", *options], DryRunCLI
        )
        model = cli.config_init["fit"].model
        optimizer = model.make_optimizer(model.parameter_groups())
    kind, expected = SOURCES[name]
    assert type(optimizer) is kind
    for group in optimizer.param_groups:
        assert {key: group[key] for key in expected} == expected, group["name"]


def write_manifest(file):
    rows = [
        (f"simpsons/{name}/{index}.jpg", name, "val" if index == 7 else "train")
        for name in ("bart", "homer", "lisa")
        for index in range(8)
    ]
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([("image", "label", "split"), *rows])


class Recorder(Callback):
    """Keeps the network before and after training, and its batches."""

    def __init__(self):
        self.batches = []

    def on_train_start(self, trainer, pl_module):
        self.before = copy.deepcopy([pl_module.backbone, pl_module.head])

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.batches.append([part.clone() for part in batch[:2]])

    def on_train_end(self, trainer, pl_module):
        self.after = copy.deepcopy([pl_module.backbone, pl_module.head])


def test_steps_of_a_published_recipe_are_those_of_a_bare_loop(faces, monkeypatch):
    recorder = Recorder()
    monkeypatch.setattr(own_callbacks, "Stopwatch", lambda: recorder)
    few = ["--trainer.max_epochs=1", "--data.batch_size=8", "--data.split.val_last_n=7"]
    quick = ["--pictures.budget=0", "--report=false", "--trainer.accelerator=cpu"]
    training_commands.run(["fit", "--config", "configs/fer2013_dnn.yaml", *few, *quick])

    network = torch.nn.Sequential(*recorder.before).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    assert len(recorder.batches) >= 4
    for step, (images, labels) in enumerate(recorder.batches):
        reseed(torch.device("cpu"), 0, 0, step, 0)  # for dropout
        optimizer.zero_grad()
        cross_entropy(network(images), labels).backward()
        optimizer.step()
    trained = torch.nn.Sequential(*recorder.after).state_dict()
    for name, expected in network.state_dict().items():
        torch.testing.assert_close(trained[name], expected, rtol=0, atol=1e-6, msg=name)
