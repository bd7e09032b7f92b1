"""Checkpoints and stored configurations that name classes which run code."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

from lightning_app.api.fitting import evaluate
from lightning_app.api.loading import load
from lightning_app.cli.allowed_classes import ALLOW
from lightning_app.cli.networks.checkpoint_network import checkpoint_network
from lightning_app.commands.compare.images import read_images
from lightning_app.main import main
from lightning_app.store.runs import find_run, open_store
from lightning_app.store.stored_run import open_stored_run

SHELL = {"class_path": "os.system", "init_args": {"command": "touch ran"}}
PAGER = {"class_path": "pydoc.pipepager", "init_args": {"text": "", "cmd": "touch ran"}}
PROCESS = {"class_path": "subprocess.Popen", "init_args": {"args": ["touch", "ran"]}}
THROUGH_US = {
    "class_path": "lightning_app.store.environment.subprocess.Popen",
    "init_args": {"args": ["touch", "ran"]},
}
INSIDE = {
    "class_path": "torch.optim.SGD",
    "init_args": {"lr": SHELL, "foreach": SHELL},
    "dict_kwargs": {"maximize": SHELL},
}
PLATEAU = {
    "class_path": "lightning.pytorch.cli.ReduceLROnPlateau",
    "init_args": {"monitor": "val/loss"},
}
SCHEDULE = {
    "class_path": "torch.optim.lr_scheduler.LambdaLR",
    "init_args": {"lr_lambda": "os.abort"},
}
COMMANDS = [
    ("test", "--config", "config.yaml", "--ckpt_path"),
    ("explain", "--images", "image.png", "--ckpt_path"),
]


@pytest.fixture(params=COMMANDS, ids=lambda command: command[0])
def command(request, folder, write_image):
    write_image(folder / "image.png")
    yield request.param
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        ("loss", "os.system", "os.system"),
        ("head", PAGER, "pydoc.pipepager"),
        ("backbone", PROCESS, "subprocess.Popen"),
        ("optimizer", THROUGH_US, "lightning_app.store.environment.subprocess.Popen"),
        ("lr_scheduler", SCHEDULE, "os.abort"),
        ("optimization", SHELL, ""),
        ("_class_path", "subprocess.Popen", ""),
    ],
)
def test_class_of_another_library_is_refused(command, tampered, refused, place, value, named):
    with tampered() as (content, file):
        content["hyper_parameters"][place] = value
    error = refused(*command, file)
    assert named in error


def test_refusal_says_what_to_do(command, tampered, refused):
    with tampered() as (content, file):
        content["hyper_parameters"]["loss"] = SHELL
    error = refused(*command, file)
    assert f"{file} wants to build `os.system`" in error
    assert f"set {ALLOW}=os.system" in error


def test_classes_inside_the_settings_of_an_allowed_one_are_refused(command, tampered, refused):
    with tampered() as (content, file):
        content["hyper_parameters"]["optimizer"] = INSIDE
    assert "os.system" in refused(*command, file)


def test_module_with_effects_is_not_imported(folder, tampered, refused, tmp_path, monkeypatch):
    """Importing a module runs its code, so the name is checked before."""
    (tmp_path / "planted.py").write_text("open('ran', 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with tampered() as (content, file):
        content["hyper_parameters"]["backbone"] = {"class_path": "planted.Net"}
    error = refused("test", "--config", "config.yaml", "--ckpt_path", file)
    assert "planted.Net" in error
    assert "planted" not in sys.modules
    assert not (folder / "ran").exists()


def test_file_of_settings_that_a_checkpoint_names_is_checked(folder, tampered, refused, tmp_path):
    (tmp_path / "loss.yaml").write_text(yaml.safe_dump(SHELL))
    with tampered() as (content, file):
        content["hyper_parameters"]["loss"] = str(tmp_path / "loss.yaml")
    refused("test", "--config", "config.yaml", "--ckpt_path", file)
    assert not (folder / "ran").exists()


@pytest.fixture
def own_network(tmp_path, monkeypatch, tampered):
    """A checkpoint of a user's own backbone and head, in the modules `own_net` and `own_head`."""
    (tmp_path / "own_net.py").write_text(
        "from models import SmallCNN\nclass Net(SmallCNN):\n    pass\n"
    )
    (tmp_path / "own_head.py").write_text(
        "from torch import nn\nclass Linear(nn.Linear):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with tampered() as (content, file):
        content["hyper_parameters"]["backbone"]["class_path"] = "own_net.Net"
    yield file
    for name in ("own_net", "own_head"):
        sys.modules.pop(name, None)


def explain(file, tmp_path, *options):
    out = ("--out", str(tmp_path / "out"), "--methods", "saliency")
    main(["explain", "--ckpt_path", str(file), "--images", "image.png", *out, *options])


def test_own_backbone_is_built_once_it_is_imported(folder, own_network, tmp_path, write_image):
    write_image(folder / "image.png")
    with pytest.raises(SystemExit):
        explain(own_network, tmp_path)
    __import__("own_net")
    explain(own_network, tmp_path)


def test_own_class_is_built_if_it_is_allowed(
    folder, own_network, tmp_path, write_image, monkeypatch
):
    write_image(folder / "image.png")
    monkeypatch.setenv(ALLOW, "my_package, own_net")
    explain(own_network, tmp_path)


def test_own_class_of_the_configuration_is_built(folder, own_network):
    named = ("--model.backbone", "own_net.Net", "--model.backbone.width", "4")
    main(["validate", "--config", "config.yaml", "--ckpt_path", str(own_network), *named])


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("head", "torch.nn.Linear"),
        ("loss", "models.FocalLoss"),
        ("optimizer", {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1}}),
        ("lr_scheduler", {"class_path": "models.CosineDecay"}),
        ("lr_scheduler", PLATEAU),
    ],
)
def test_known_classes_are_built(folder, tampered, place, value):
    with tampered() as (content, file):
        if place == "head":
            state = content["state_dict"]
            content["state_dict"] = {k.replace("head.layers.1", "head"): state[k] for k in state}
        content["hyper_parameters"][place] = value
    model = checkpoint_network(str(file), None).model
    assert isinstance(model, nn.Module)


@pytest.fixture
def planted_run(folder):
    """Id of a run whose stored configuration names `os.system`."""
    client = open_store()
    run = find_run(client, "small")
    run_id = client.create_run(run.info.experiment_id, run_name="planted").info.run_id
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["data"]["init_args"]["augmentation"] = [SHELL]
    client.log_text(run_id, yaml.safe_dump(config), "config/config.yaml")
    yield run_id
    client.delete_run(run_id)
    assert not (folder / "ran").exists()


def test_stored_configuration_is_checked_when_images_are_compared(planted_run):
    client = open_store()
    with (
        open_stored_run(client, client.get_run(planted_run)) as stored,
        pytest.raises(ValueError, match=r"run 'planted' wants to build `os\.system`"),
    ):
        read_images(stored, "val", ["a"])


def test_stored_configuration_is_checked_when_a_run_is_evaluated(folder, planted_run):
    run = replace(load(planted_run), checkpoint=folder / "best.ckpt")
    with pytest.raises(ValueError, match=r"run wants to build `os\.system`"):
        evaluate(run, "val")


@pytest.mark.parametrize(
    ("place", "value"), [("trainer", {"callbacks": [SHELL]}), ("data", SHELL), ("model", SHELL)]
)
def test_recorded_configuration_is_checked_when_it_is_used(folder, refused, place, value):
    client, file = open_store(), "config/config.yaml"
    run_id = find_run(client, "small").info.run_id
    before = Path(client.download_artifacts(run_id, file)).read_text()
    try:
        client.log_text(run_id, yaml.safe_dump(yaml.safe_load(before) | {place: value}), file)
        error = refused("test", "--ckpt_path", "best.ckpt")
    finally:
        client.log_text(run_id, before, file)
    assert "configuration of the run 'small' wants to build `os.system`" in error
    assert not (folder / "ran").exists()


def test_every_file_of_tensors_is_read_without_code(folder, tmp_path, refused, write_image):
    class Planted:
        def __reduce__(self):
            return (open, ("ran", "w"))

    write_image(folder / "image.png")
    torch.save({"state_dict": {}, "hyper_parameters": Planted()}, tmp_path / "x.ckpt")
    error = refused("explain", "--ckpt_path", tmp_path / "x.ckpt", "--images", "image.png")
    assert "x.ckpt is damaged or not a checkpoint" in error
    weights = ("--network", "test_vit", "--weights", tmp_path / "x.ckpt")
    assert "weights_only" in refused("explain", *weights, "--images", "image.png")
    assert not (folder / "ran").exists()
