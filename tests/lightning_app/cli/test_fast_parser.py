"""The parser that makes tests fast (tests/conftest.py) parses as the one that users have."""

import pytest

from lightning_app.main import main

COMMANDS = {
    "digits": ["--config", "configs/digits.yaml", "--model.backbone.width", "8"],
    "unfreezing": ["--config", "configs/scenes_resnet50.yaml", "--pictures.grad_cam", "false"],
}
WRONG = ["--config", "configs/digits.yaml", "--model.backbone.widht", "8"]


@pytest.fixture
def printed(capsys):
    """What a command prints before it ends."""

    def run(arguments):
        with pytest.raises(SystemExit) as end:
            main(["fit", *arguments, "--print_config"])
        return end.value.code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("arguments", [*COMMANDS.values(), WRONG], ids=[*COMMANDS, "wrong"])
def test_settings_are_parsed_as_without_it(fast_parser, monkeypatch, printed, arguments):
    fast = printed(arguments)
    for change in fast_parser:
        monkeypatch.setattr(*change)
    assert printed(arguments) == fast
    assert len(fast[1] + fast[2]) > 80
