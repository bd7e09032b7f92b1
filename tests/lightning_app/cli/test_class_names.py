import pytest
import yaml

from lightning_app.cli.class_names import (
    check_class_names,
    with_arguments_as_text,
    with_class_names_as_text,
)
from lightning_app.cli.config_parser import make_config_parser


def read(text):
    return yaml.safe_load(with_class_names_as_text(text))


def test_numbers_and_dates_are_names_as_they_are_written():
    text = (
        "options:\n  exclude_classes: [0, 010, 1e3, 2020-01-01]\n  merge_classes: {7: [1, 2.0]}\n"
    )
    assert read(text)["options"] == {
        "exclude_classes": ["0", "010", "1e3", "2020-01-01"],
        "merge_classes": {"7": ["1", "2.0"]},
    }


def test_other_settings_keep_their_types_and_lines_their_numbers():
    text = "class_names:\n  - 3\n  - 'no'\nseed: 7\nflag: no\n"
    assert read(text) == {"class_names": ["3", "no"], "seed": 7, "flag": False}
    assert with_class_names_as_text(text).count("\n") == text.count("\n")


@pytest.mark.parametrize("name", ["yes", "no", "true", "null", "~"])
def test_what_yaml_reads_as_no_text_is_refused_with_its_line(name):
    text = f"options:\n  exclude_classes: [cat, {name}]\n"
    with pytest.raises(ValueError, match=rf'a\.yaml, line 2: .* is {name}, .*quotes: \["{name}"\]'):
        check_class_names(text, "a.yaml")
    check_class_names(text.replace(name, f'"{name}"'), "a.yaml")


def test_command_line_names_classes_by_numbers():
    assert with_arguments_as_text(["--data.options.exclude_classes", "[0, 1]", "--x=[0]"]) == [
        *("--data.options.exclude_classes", '["0", "1"]', "--x=[0]")
    ]
    with pytest.raises(ValueError, match=r'command line: .* is no, .*\["no"\]'):
        with_arguments_as_text(["--data.options.exclude_classes=[no]"])


def test_parser_takes_numbers_as_names(tmp_path):
    file = tmp_path / "a.yaml"
    data = "data: {class_path: ImageFolderDataModule, init_args: {root: x, options: OPTIONS}}\n"
    file.write_text(data.replace("OPTIONS", "{exclude_classes: [0, 10], merge_classes: {5: [1]}}"))
    parser = make_config_parser("fit", "")
    options = parser.parse_args(["--config", str(file)]).data.init_args.options
    assert (options.exclude_classes, options.merge_classes) == (["0", "10"], {"5": ["1"]})
    named = parser.parse_args(["--config", str(file), "--data.options.exclude_classes", "[2]"])
    assert named.data.init_args.options.exclude_classes == ["2"]


def test_parser_says_how_to_write_no(tmp_path, capsys):
    file = tmp_path / "a.yaml"
    file.write_text("data:\n  init_args: {options: {exclude_classes: [no]}}\n")
    with pytest.raises(SystemExit, match="2"):
        make_config_parser("fit", "").parse_args(["--config", str(file)])
    assert 'Write it in quotes: ["no"]' in capsys.readouterr().err
