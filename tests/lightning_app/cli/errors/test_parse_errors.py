"""What a mistake in a file of settings, or on the command line, says."""

import pytest

from lightning_app.cli.training import run

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
    """Give settings with one text replaced, and arguments; get the message without `error: `."""

    def message(right="", wrong="", *arguments):
        assert right in SETTINGS
        (tmp_path / "fit.yaml").write_text(SETTINGS.replace(right, wrong, 1))
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
    ("right", "wrong", "line", "owner", "near"),
    [
        ("model", "modle", 8, "there is no", "model"),
        ("max_epochs", "max_epoch", 17, "`trainer` has no", "max_epochs, min_epochs, max_steps"),
        ("batch_size", "batchsize", 4, "`data` (DigitsDataModule) has no", "batch_size"),
        ("backbone", "bakbone", 11, "`model` (ImageClassifier) has no", "backbone"),
        ("lr", "weightdecay", 15, "`model.optimizer` (AdamW) has no", "weight_decay"),
        ("monitor", "monitr", 21, "`trainer.callbacks` (EarlyStopping) has no", "monitor"),
    ],
)
def test_unknown_key_is_shown_with_its_line_and_near_names(
    error_of, right, wrong, line, owner, near
):
    expected = f"fit.yaml, line {line}: {owner} key {wrong!r}.\n  Near names: {near}."
    assert error_of(right, wrong) == expected


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
    ("right", "wrong", "name"),
    [
        ("DigitsDataModule", "DigitsDataModule\n  num_workers: 0", "num_workers"),
        ("SmallCNN", "SmallCNN\n      width: 8", "width"),
        ("init_args: {lr: 3.0e-3}", "lr: 3.0e-3", "lr"),
        ("init_args: {monitor: val/loss}", "monitor: val/loss", "monitor"),
    ],
)
def test_argument_beside_its_class_belongs_below_init_args(error_of, right, wrong, name):
    error = error_of(right, wrong)
    assert f"{name!r} stands beside `class_path`; there, only `init_args` is possible." in error
    assert error.endswith("\n  Arguments of the class go below `init_args`.")


@pytest.mark.parametrize(
    ("right", "wrong", "place", "kind", "near"),
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
def test_unknown_class_is_shown_with_its_kind_and_near_names(
    error_of, right, wrong, place, kind, near
):
    expected = f"fit.yaml, line {place} expects a kind of {kind}, got {wrong!r}."
    assert error_of(right, wrong) == f"{expected}\n  Near names: {near}."


def test_class_of_another_kind_is_shown_with_those_possible(error_of):
    first, second = error_of("SmallCNN", "torch.optim.SGD").splitlines()
    expected = "`model.backbone` expects a kind of Backbone, got 'torch.optim.SGD'."
    assert first == f"fit.yaml, line 12: {expected}"
    possible = second.removeprefix("  Possible: ").rstrip(".").split(", ")
    # Other tests of this process may have defined backbones of their own.
    assert {"SmallCNN", "TimmBackbone", "TorchvisionBackbone"} <= set(possible)


@pytest.mark.parametrize(
    ("right", "wrong", "near"),
    [("DigitsDataModule", "DigitDataModule", "DigitsDataModule"), ("AdamW", "AdamV", "AdamW")],
)
def test_near_names_hold_the_class_that_was_meant(error_of, right, wrong, near):
    first, second = error_of(right, wrong).splitlines()
    assert wrong in first
    assert near in second.removeprefix("  Near names: ").rstrip(".").split(", ")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("epochs: 1", "epochs: x", "17: `trainer.max_epochs` expects int or null, got 'x'."),
        ("8", "many", "4: `data.batch_size` expects int, got 'many'."),
        ("3.0e-3", "abc", "15: `model.optimizer.lr` expects float or Tensor, got 'abc'."),
        (
            "p: 0.5",
            "p: abc",
            "7: `data.augmentation.p`: Input should be a valid number, "
            "unable to parse string as a number, got 'abc'.",
        ),
    ],
)
def test_wrong_value_is_shown_with_the_types_expected(error_of, right, wrong, message):
    assert error_of(right, wrong) == f"fit.yaml, line {message}"


BACKBONE = "`model.backbone`"


@pytest.mark.filterwarnings("ignore:(?s).*Abbreviated options")
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--trainer.max_epochs=x", "`trainer.max_epochs` expects int or null, got 'x'."),
        ("--trainer.max_epoc=x", "`trainer.max_epochs` expects int or null, got 'x'."),
        ("--data.split.val=x", "`data.split.val` expects float, got 'x'."),
        ("--model.backbone.widht=3", f"{BACKBONE} (SmallCNN) has no key 'widht'."),
        ("--model.backbone=SmalCNN", f"{BACKBONE} expects a kind of Backbone, got 'SmalCNN'."),
        ("--data={init_args: {batchsize: 3}}", "`data` (DigitsDataModule) has no key 'batchsize'."),
        ("--modle.init_args.head.init_args.dropout=0.1", "there is no key 'modle'."),
        ("--pictures.grad_cm=false", "`pictures` has no key 'grad_cm'."),
        ("x.yml", "'x.yml' follows no option; settings are given by --config FILE.yaml."),
    ],
)
def test_mistake_on_the_command_line_says_so(error_of, argument, message):
    error = error_of("", "", "--config", "fit.yaml", argument)
    assert error.splitlines()[0] == f"command line: {message}"


def test_value_of_a_file_is_blamed_on_the_file_although_it_is_overridden(error_of):
    error = error_of("epochs: 1", "epochs: x", "--config", "fit.yaml", "--trainer.max_epochs", "3")
    assert error == "fit.yaml, line 17: `trainer.max_epochs` expects int or null, got 'x'."


def test_mistake_is_found_in_the_second_file(error_of, tmp_path):
    (tmp_path / "more.yaml").write_text("trainer:\n  log_every_n_step: 3\n")
    error = error_of("", "", "--config", "fit.yaml", "-c", "more.yaml")
    assert error.startswith("more.yaml, line 2: `trainer` has no key 'log_every_n_step'.")


def test_broken_file_after_a_mistake_does_not_hide_it(error_of, tmp_path):
    (tmp_path / "broken.yaml").write_text("trainer: [\n")
    error = error_of("epochs: 1", "epochs: x", "--config", "fit.yaml", "--config", "broken.yaml")
    assert error.startswith("fit.yaml, line 17: ")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        (
            "8\n",
            "[8\n",
            ", line 5: this is no YAML: expected ',' or ']', but got ':' while parsing ",
        ),
        (
            "  max_e",
            "\tmax_e",
            ", line 17: this is no YAML: found character '\\t' that cannot start",
        ),
        (SETTINGS, "- a\n", ": expected keys with values (`data: ...`, `model: ...`), got a list."),
        (SETTINGS, "", ": expected keys with values (`data: ...`, `model: ...`), got nothing."),
    ],
)
def test_file_that_holds_no_settings_is_named(error_of, right, wrong, message):
    assert error_of(right, wrong).startswith(f"fit.yaml{message}")


def test_missing_file_is_shown_with_near_ones(error_of, tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "digits.yaml").touch()
    assert error_of("", "", "--config", "configs/digit.yaml") == (
        f"--config: File does not exist: {tmp_path}/configs/digit.yaml.\n"
        "  Near names: configs/digits.yaml."
    )


def test_no_config_says_what_is_needed_and_which_files_are_there(error_of):
    assert error_of("", "", "--trainer.max_epochs", "1") == (
        "`lightning_cli fit` needs `data` and `model`, from --config FILE.yaml.\n"
        "  Possible: fit.yaml."
    )


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
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
def test_missing_argument_is_shown_with_its_class(error_of, right, wrong, message):
    assert error_of(right, wrong) == f"fit.yaml, line {message}, which is missing."


def test_message_of_another_kind_is_shown_as_it_is(error_of):
    assert error_of("", "", "--config") == (
        "argument -c/--config: expected one argument\n(the whole report: LIGHTNING_CLI_DEBUG=1)"
    )


def test_debugging_shows_the_whole_report(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LIGHTNING_CLI_DEBUG", "1")
    (tmp_path / "fit.yaml").write_text(SETTINGS.replace("SmallCNN", "SmalCNN"))
    with pytest.raises(SystemExit):
        run(["fit", "--config", str(tmp_path / "fit.yaml")])
    assert "Does not validate against any of the Union subtypes" in capsys.readouterr().err


def test_error_of_our_constructor_is_not_wrapped(tmp_path):
    settings = SETTINGS.replace("SmallCNN", "TimmBackbone\n      init_args: {name: resnt18}")
    (tmp_path / "fit.yaml").write_text(settings)
    with pytest.raises(ValueError, match=r"^timm has no network 'resnt18'") as error:
        run(["fit", "--config", str(tmp_path / "fit.yaml")])
    assert error.traceback[-1].path.name == "timm_backbone.py"


def test_group_of_settings_is_no_switch(error_of):
    error = error_of("", "", "--pictures", "false")
    assert error.startswith(
        "`pictures` is a group of settings: --pictures.confusion, --pictures.gr"
    )
    assert error.endswith("For no picture: --pictures.budget 0.")
