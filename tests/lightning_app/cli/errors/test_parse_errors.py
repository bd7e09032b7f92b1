"""Messages for errors in a configuration file and on the command line."""

import pytest

from lightning_app.cli.training_commands import run

SETTINGS = """\
data:
  class_path: DigitsDataModule
  init_args:
    batch_size: 8
    augmentation:
      - class_path: albumentations.HorizontalFlip
        init_args: {p: 0.5}
model:
  class_path: ImageClassifier
  init_args:
    backbone:
      class_path: SmallCNN
    optimizer:
      class_path: torch.optim.AdamW
      init_args: {lr: 3.0e-3}
trainer:
  max_epochs: 1
  callbacks:
    - class_path: LearningRateMonitor
    - class_path: EarlyStopping
      init_args: {monitor: val/loss}
"""


@pytest.fixture
def error_of(tmp_path, monkeypatch, capsys):
    """Run settings with one text replaced; return the message without `error: `."""

    def message(old="", new="", *arguments):
        assert old in SETTINGS
        (tmp_path / "fit.yaml").write_text(SETTINGS.replace(old, new, 1))
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as stop:
            run(["fit", *(arguments or ("--config", "fit.yaml"))])
        error = capsys.readouterr().err
        assert stop.value.code == 2
        assert error.startswith("error: ")
        assert len(error.splitlines()) <= 6
        return error.removeprefix("error: ").rstrip("\n")

    return message


@pytest.mark.parametrize(
    ("old", "new", "line", "owner", "near"),
    [
        ("model", "modle", 8, "there is no", "model"),
        ("max_epochs", "max_epoch", 17, "`trainer` has no", "max_epochs, min_epochs, max_steps"),
        ("batch_size", "batchsize", 4, "`data` (DigitsDataModule) has no", "batch_size"),
        ("backbone", "bakbone", 11, "`model` (ImageClassifier) has no", "backbone"),
        ("lr", "weightdecay", 15, "`model.optimizer` (AdamW) has no", "weight_decay"),
        ("monitor", "monitr", 21, "`trainer.callbacks` (EarlyStopping) has no", "monitor"),
    ],
)
def test_unknown_key_is_shown_with_its_line_and_near_names(error_of, old, new, line, owner, near):
    expected = f"fit.yaml, line {line}: {owner} key {new!r}.\n  Near names: {near}."
    assert error_of(old, new) == expected


def test_unknown_key_of_a_group_is_shown_with_the_group(error_of):
    assert error_of("batch_size: 8", "split: {vl: 0.3}") == (
        "fit.yaml, line 4: `data.split` (DigitsDataModule) has no key 'vl'.\n  Near names: val."
    )


def test_key_without_a_near_name_lists_all_of_its_level(error_of):
    assert error_of("class_path: SmallCNN", "class_path: SmallCNN\n      init_args: {xyz: 1}") == (
        "fit.yaml, line 13: `model.backbone` (SmallCNN) has no key 'xyz'.\n"
        "  Possible: num_channels, width."
    )


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("DigitsDataModule", "DigitsDataModule\n  num_workers: 0", "num_workers"),
        ("SmallCNN", "SmallCNN\n      width: 8", "width"),
        ("init_args: {lr: 3.0e-3}", "lr: 3.0e-3", "lr"),
        ("init_args: {monitor: val/loss}", "monitor: val/loss", "monitor"),
    ],
)
def test_argument_beside_its_class_belongs_below_init_args(error_of, old, new, name):
    error = error_of(old, new)
    assert f"{name!r} is beside `class_path`, where only `init_args` is possible." in error
    assert error.endswith("\n  Put the arguments of a class below `init_args`.")


@pytest.mark.parametrize(
    ("old", "new", "place", "base", "near"),
    [
        ("SmallCNN", "SmalCNN", "12: `model.backbone`", "Backbone", "SmallCNN"),
        ("SmallCNN", "modles.SmallCNN", "12: `model.backbone`", "Backbone", "SmallCNN"),
        ("ImageClassifier", "ImgClassifier", "9: `model`", "ImageClassifier", "ImageClassifier"),
        ("EarlyStopping", "EarlyStoping", "20: `trainer.callbacks`", "Callback", "EarlyStopping"),
        (
            "albumentations.HorizontalFlip",
            "albumentations.HorizontlFlip",
            "6: `data.augmentation`",
            "BasicTransform or BaseCompose",
            "HorizontalFlip",
        ),
    ],
)
def test_unknown_class_is_shown_with_its_base_class_and_near_names(
    error_of, old, new, place, base, near
):
    expected = f"fit.yaml, line {place} expects a subclass of {base}, got {new!r}."
    assert error_of(old, new) == f"{expected}\n  Near names: {near}."


def test_class_that_its_module_lacks_is_shown_by_its_name(error_of):
    arguments = ("--config", "fit.yaml", "--model.optimizer", "torch.optim.SDG")
    first, second = error_of("", "", *arguments).splitlines()
    assert first.startswith("command line: `model.optimizer` expects a")
    assert first.endswith(", got 'torch.optim.SDG'.")
    assert "SGD" in second.removeprefix("  Near names: ").rstrip(".").split(", ")


def test_class_of_another_base_is_shown_with_the_possible_classes(error_of):
    first, second = error_of("SmallCNN", "torch.optim.SGD").splitlines()
    expected = "`model.backbone` expects a subclass of Backbone, got 'torch.optim.SGD'."
    assert first == f"fit.yaml, line 12: {expected}"
    possible = second.removeprefix("  Possible: ").rstrip(".").split(", ")
    # Other tests in this process may have defined backbones.
    assert {"SmallCNN", "TimmBackbone", "TorchvisionBackbone"} <= set(possible)


@pytest.mark.parametrize(
    ("old", "new", "near"),
    [("DigitsDataModule", "DigitDataModule", "DigitsDataModule"), ("AdamW", "AdamV", "AdamW")],
)
def test_near_names_include_the_class_that_was_meant(error_of, old, new, near):
    first, second = error_of(old, new).splitlines()
    assert new in first
    assert near in second.removeprefix("  Near names: ").rstrip(".").split(", ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs: 1", "epochs: x", "17: `trainer.max_epochs` expects int or null, got 'x'."),
        ("8", "many", "4: `data.batch_size` expects int or 'auto', got 'many'."),
        ("3.0e-3", "abc", "15: `model.optimizer.lr` expects float or Tensor, got 'abc'."),
        (
            "p: 0.5",
            "p: abc",
            "7: `data.augmentation.p`: Input should be a valid number, "
            "unable to parse string as a number, got 'abc'.",
        ),
    ],
)
def test_wrong_value_is_shown_with_the_expected_types(error_of, old, new, message):
    assert error_of(old, new) == f"fit.yaml, line {message}"


BACKBONE, OPTIMIZER = "`model.backbone`", "`model.optimizer`"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--trainer.max_epochs=x", "`trainer.max_epochs` expects int or null, got 'x'."),
        ("--trainer.max_ep=1", "`trainer` has no key 'max_ep'."),
        ("--data.batch_s=8", "`data` (DigitsDataModule) has no key 'batch_s'."),
        ("--data.split.va=0.2", "`data.split` (DigitsDataModule) has no key 'va'."),
        ("--conf=fit.yaml", "there is no key 'conf'."),
        ("--data.split.val=x", "`data.split.val` expects float, got 'x'."),
        ("--model.backbone.widht=3", f"{BACKBONE} (SmallCNN) has no key 'widht'."),
        ("--model.backbone=SmalCNN", f"{BACKBONE} expects a subclass of Backbone, got 'SmalCNN'."),
        ("--data={init_args: {batchsize: 3}}", "`data` (DigitsDataModule) has no key 'batchsize'."),
        ("--modle.init_args.head.init_args.dropout=0.1", "there is no key 'modle'."),
        ("--pictures.grad_cm=false", "`pictures` has no key 'grad_cm'."),
        ("--model.optimizer=SGDD", f"{OPTIMIZER} expects a subclass of Optimizer, got 'SGDD'."),
        ("x.yml", "'x.yml' is not an option; configurations are given with --config FILE.yaml."),
    ],
)
def test_error_on_the_command_line_is_located_there(error_of, argument, message):
    error = error_of("", "", "--config", "fit.yaml", argument)
    assert error.splitlines()[0] == f"command line: {message}"


def test_wrong_value_in_a_file_is_located_there_even_if_it_is_overridden(error_of):
    error = error_of("epochs: 1", "epochs: x", "--config", "fit.yaml", "--trainer.max_epochs", "3")
    assert error == "fit.yaml, line 17: `trainer.max_epochs` expects int or null, got 'x'."


def test_error_is_located_in_the_second_file(error_of, tmp_path):
    (tmp_path / "more.yaml").write_text("trainer:\n  log_every_n_step: 3\n")
    error = error_of("", "", "--config", "fit.yaml", "-c", "more.yaml")
    assert error.startswith("more.yaml, line 2: `trainer` has no key 'log_every_n_step'.")


def test_broken_second_file_does_not_hide_an_error_in_the_first(error_of, tmp_path):
    (tmp_path / "broken.yaml").write_text("trainer: [\n")
    error = error_of("epochs: 1", "epochs: x", "--config", "fit.yaml", "--config", "broken.yaml")
    assert error.startswith("fit.yaml, line 17: ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "8\n",
            "[8\n",
            ", line 5: not valid YAML: expected ',' or ']', but got ':' while parsing ",
        ),
        (
            "  max_e",
            "\tmax_e",
            ", line 17: not valid YAML: found character '\\t' that cannot start",
        ),
        (SETTINGS, "- a\n", ": expected keys with values (`data: ...`, `model: ...`), got a list."),
        (SETTINGS, "", ": expected keys with values (`data: ...`, `model: ...`), got nothing."),
    ],
)
def test_file_without_settings_is_named(error_of, old, new, message):
    assert error_of(old, new).startswith(f"fit.yaml{message}")


def test_missing_file_is_shown_with_files_of_near_names(error_of, tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "digits.yaml").touch()
    assert error_of("", "", "--config", "configs/digit.yaml") == (
        f"--config: File does not exist: {tmp_path}/configs/digit.yaml.\n"
        "  Near names: configs/digits.yaml."
    )


def test_missing_config_is_shown_with_the_configurations_here(error_of):
    assert error_of("", "", "--trainer.max_epochs", "1") == (
        "`lightning_cli fit` needs `data` and `model`, from --config FILE.yaml, or images: "
        "`lightning_cli fit PATH`.\n"
        "  Possible: fit.yaml."
    )


def test_configurations_are_listed_with_those_of_configs_first(error_of, tmp_path):
    files = (".hidden.yaml", ".github/ci.yaml", "ablations/few.yaml", "configs/toys.yaml")
    for file in ("a/own.yaml", *files):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    listed = "\n  Possible: configs/toys.yaml, a/own.yaml, fit.yaml"
    # Shipped configurations follow: they need no file here.
    assert f"{listed}, cifar10_resnet18, " in error_of("", "", "--config", "nope.yaml")
    assert error_of("", "", "--trainer.max_epochs", "1").endswith(f"{listed}.")


def test_long_list_of_configurations_ends_with_one_ellipsis(error_of, tmp_path):
    for index in range(40):
        (tmp_path / f"{index}.yaml").touch()
    assert error_of("", "", "--config", "nope.yaml").endswith(".yaml, …")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("SmallCNN", "TimmBackbone", "12: `model.backbone` (TimmBackbone) needs `name`"),
        ("{monitor: val/loss}", "{}", "20: `trainer.callbacks` (EarlyStopping) needs `monitor`"),
        (
            "    backbone:\n      class_path: SmallCNN\n",
            "",
            "9: `model` (ImageClassifier) needs `backbone`",
        ),
    ],
)
def test_missing_argument_is_shown_with_its_class(error_of, old, new, message):
    assert error_of(old, new) == f"fit.yaml, line {message}, which is missing."


def test_other_message_is_shown_as_it_is(error_of):
    assert error_of("", "", "--config") == (
        "argument -c/--config: expected one argument\n"
        "(set LIGHTNING_CLI_DEBUG=1 for the full message)"
    )


def test_debugging_shows_the_full_message(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LIGHTNING_CLI_DEBUG", "1")
    (tmp_path / "fit.yaml").write_text(SETTINGS.replace("SmallCNN", "SmalCNN"))
    with pytest.raises(SystemExit):
        run(["fit", "--config", str(tmp_path / "fit.yaml")])
    assert "Does not validate against any of the Union subtypes" in capsys.readouterr().err


def test_error_of_our_constructor_is_raised_unchanged(tmp_path):
    settings = SETTINGS.replace("SmallCNN", "TimmBackbone\n      init_args: {name: resnt18}")
    (tmp_path / "fit.yaml").write_text(settings)
    with pytest.raises(ValueError, match=r"^timm has no network 'resnt18'") as error:
        run(["fit", "--config", str(tmp_path / "fit.yaml")])
    assert error.traceback[-1].path.name == "timm_backbone.py"


def test_group_of_settings_has_no_value_of_its_own(error_of):
    error = error_of("", "", "--pictures", "true")
    assert error.startswith(
        "`pictures` is a group of settings: --pictures.confusion, --pictures.ho"
    )
    assert error.endswith("To draw no pictures: --pictures false.")


def test_key_of_a_file_is_explained_alike_when_the_configuration_is_printed(error_of):
    for old, new, expected in (
        ("max_epochs", "max_epoch", "fit.yaml, line 17: `trainer` has no key 'max_epoch'."),
        ("model", "modle", "fit.yaml, line 8: there is no key 'modle'.\n  Near names: model."),
    ):
        printed = error_of(old, new, "--config", "fit.yaml", "--print_config")
        assert printed.startswith(expected)


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["--data.root"], "--data.root"),
        (["--data.batch_size", "8", "--data.root", "--print_config"], "--data.root"),
        (["--time"], "--time"),
    ],
)
def test_option_without_a_value_is_named(error_of, arguments, option):
    error = error_of("", "", "--config", "fit.yaml", *arguments)
    assert error == f"command line: `{option}` needs a value."
