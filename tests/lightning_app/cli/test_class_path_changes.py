"""A class that is chosen starts from its own defaults, whatever was configured before."""

import re
from pathlib import Path

import pytest
import yaml

from lightning_app.main import main

BASE = """\
data: {class_path: DigitsDataModule, init_args: {batch_size: 8}}
model:
  class_path: ImageClassifier
  init_args:
    backbone: {class_path: PlainCNN, init_args: {dropout: 0.1}}
    head: {class_path: Head, init_args: {norm: batch, hidden: [4]}}
    loss: {class_path: CrossEntropy, init_args: {label_smoothing: 0.2}}
    optimizer: {class_path: torch.optim.AdamW, init_args: {lr: 0.5, weight_decay: 0.25}}
    lr_scheduler: {class_path: CosineDecay, init_args: {final: 0.125}}
trainer:
  logger: {class_path: RunLogger, init_args: {tags: {a: b}}}
"""
ADAM = {"lr": 1e-3, "weight_decay": 0, "betas": [0.9, 0.999], "amsgrad": False}


@pytest.fixture
def printed(workplace, capsys):
    """The configuration as `--print_config` shows it."""

    def printed(*arguments, base=BASE):
        Path("base.yaml").write_text(base)
        with pytest.raises(SystemExit, match="0"):
            main(["fit", "--config", "base.yaml", *arguments, "--print_config"])
        return yaml.safe_load(capsys.readouterr().out)

    return printed


def init_args(config, setting):
    for key in setting.split("."):
        config = config["init_args"][key] if "class_path" in config else config[key]
    return config["init_args"]


CHOSEN = {  # class, and defaults of its own that differ from what is set above, or are of AdamW
    "model.optimizer": ("torch.optim.Adam", ADAM),
    "model.lr_scheduler": ("PolynomialDecay", {"final": 0.0}),
    "model.loss": ("LogitAdjustment", {"label_smoothing": 0.0}),
    "model.backbone": ("MLP", {"dropout": [0.25, 0.5, 0.5], "widths": [512, 1024, 512]}),
    "data": ("SyntheticDataModule", {"batch_size": 32}),
}


@pytest.mark.parametrize("place", ["command line", "second file"])
def test_class_that_is_chosen_starts_from_its_own_defaults(printed, recwarn, place):
    if place == "command line":
        arguments = [f"--{setting}={chosen}" for setting, (chosen, _) in CHOSEN.items()]
    else:
        model = {
            setting.split(".")[1]: {"class_path": chosen}
            for setting, (chosen, _) in CHOSEN.items()
            if setting != "data"
        }
        second = {"data": {"class_path": CHOSEN["data"][0]}, "model": {"init_args": model}}
        Path("second.yaml").write_text(yaml.safe_dump(second))
        arguments = ["--config", "second.yaml"]
    config = printed(*arguments)
    warned = {str(w.message).split()[0] for w in recwarn if "own defaults" in str(w.message)}
    assert warned == {chosen.rsplit(".", 1)[-1] for chosen, _ in CHOSEN.values()}
    for setting, (_, expected) in CHOSEN.items():
        found = init_args(config, setting)
        assert {name: found[name] for name in expected} == expected, setting


def test_default_of_an_optimizer_is_not_inherited_without_being_set(printed, recwarn):
    base = BASE.replace(
        "torch.optim.AdamW, init_args: {lr: 0.5, weight_decay: 0.25}", "torch.optim.Adam"
    )
    found = init_args(printed(base=base), "model.optimizer")
    assert {name: found[name] for name in ADAM} == ADAM
    assert not [w for w in recwarn if "own defaults" in str(w.message)]


@pytest.mark.parametrize(
    ("setting", "chosen", "message"),
    [
        ("model.loss", "FocalLoss", "set for CrossEntropy: label_smoothing 0.2."),
        ("trainer.logger", "CSVLogger", "set for RunLogger: tags {'a': 'b'}."),
        ("model.optimizer", "torch.optim.LBFGS", "set for AdamW: lr 0.5, weight_decay 0.25."),
    ],
)
def test_what_is_set_for_another_class_is_not_dropped_silently(printed, setting, chosen, message):
    options = ["--trainer.logger.save_dir=logs"] if chosen == "CSVLogger" else []
    with pytest.warns(UserWarning, match=re.escape(f"does not inherit what is {message}")):
        printed(f"--{setting}", chosen, *options)


def test_what_is_set_after_the_choice_is_kept(printed):
    with pytest.warns(UserWarning, match="does not inherit"):
        config = printed(
            "--model.optimizer", "torch.optim.SGD", "--model.optimizer.momentum", "0.9"
        )
    found = init_args(config, "model.optimizer")
    assert (found["momentum"], found["lr"]) == (0.9, 1e-3)


def test_another_class_can_be_chosen_over_settings_that_are_groups(printed):
    manifest = "ManifestDataModule, init_args: {manifest: a.csv, options: {origin: b}}"
    base = BASE.replace("DigitsDataModule, init_args: {batch_size: 8}", manifest)
    with pytest.warns(UserWarning, match="set for ManifestDataModule: manifest a.csv, options"):
        config = printed("--data", "ImageFolderDataModule", "--data.root", "photos", base=base)
    assert config["data"]["init_args"]["root"] == "photos"


def test_same_class_keeps_its_settings(printed, recwarn):
    found = init_args(printed("--model.optimizer", "torch.optim.AdamW"), "model.optimizer")
    assert (found["lr"], found["weight_decay"]) == (0.5, 0.25)
    assert not [w for w in recwarn if "own defaults" in str(w.message)]
