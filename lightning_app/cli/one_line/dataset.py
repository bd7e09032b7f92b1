"""Dataset of a command line that begins with its path, for commands other than `fit`."""

from lightning_app.cli.one_line.layouts import layout_of
from lightning_app.cli.one_line.options import after_configs, inline, take_root


def with_dataset(args: list[str]) -> list[str]:
    """The command line, with a leading PATH or that of `--data.root` as the dataset.

    Raises:
        ValueError: If nothing there is a dataset.
    """
    options = [*args]
    leads = bool(options) and not options[0].startswith("-")
    path = options.pop(0) if leads else take_root(options)
    return options if path is None else after_configs(options, [inline({"data": layout_of(path)})])
