"""The command `lightning_cli probe`: which pretrained backbone suits these images."""

from pathlib import Path

from lightning_app.cli.config_parser import make_config_parser, parse_config
from lightning_app.cli.one_line.dataset import with_dataset
from lightning_app.cli.one_line.layouts import LAYOUTS
from lightning_app.commands.probe.log_probes import log_probes
from lightning_app.commands.probe.probed_networks import (
    ProbedNetwork,
    check_networks,
    probe_networks,
)
from lightning_app.output.console import Column, print_table
from lightning_app.output.folder import Folder

DESCRIPTION = """Compare pretrained backbones on your images, without training any. A logistic
regression and the nearest neighbour classify each training and validation image by the features of
the others; test images are not used. PATH is what `fit PATH` takes: a folder with one folder per
class, or a CSV file; any dataset of a configuration is possible with --config or --data."""
NETWORKS = ["tf_efficientnet_lite0", "resnet18", "convnext_nano"]
TABLE, FIGURE = "probe", "probe"


def probe(args: list[str]) -> None:
    """Compute features with each network, classify by them, and write the results.

    Args:
        args: The command line after `probe`.

    Raises:
        SystemExit: With 2 if the command line does not parse.
        ValueError: If there is no dataset or no network of a name, or none could be built.
    """
    parser = make_config_parser("lightning_cli probe", DESCRIPTION)
    parser.add_argument(
        "--networks",
        nargs="+",
        default=NETWORKS,
        help="Names of timm or torchvision, with their pretrained weights; NAME=FILE has its own.",
    )
    parser.add_argument("--out", type=Path, default=Path("probe"), help="Output folder.")
    parsed = parse_config(parser, with_dataset(args))
    check_networks(parsed.networks)
    settings = parser.instantiate_classes(parsed)
    data = settings.data
    if data is None:
        raise ValueError(f"`probe` needs a dataset: --config, or as PATH {LAYOUTS}.")
    folder = Folder(settings.out)
    data.prepare_data()
    data.setup("fit")
    found, failed = probe_networks(data, settings.networks)
    if not found:
        raise ValueError("No network could be probed:\n" + "\n".join(failed))
    title = f"{data.place or type(data).__name__}: {found[0].num_images:,} images"
    figure, columns = log_probes(found, data, title)
    folder.write_table(TABLE, columns)
    folder.write_figure(FIGURE, figure)
    _print(found, title)
    for reason in failed:
        print(f"Left out: {reason}")
    print(f"{settings.out / FIGURE}.png shows them; the runs are in the experiment probe.")


def _print(found: list[ProbedNetwork], title: str) -> None:
    names = ("linear, %", "neighbour, %", "parameters", "features", "seconds")
    rows = [
        (
            network.name,
            str(network.linear),
            str(network.neighbour),
            f"{network.parameters:,}",
            f"{network.num_features:,}",
            f"{network.seconds:.1f}",
        )
        for network in found
    ]
    columns = [Column(name, "right") for name in names]
    print_table([Column("network"), *columns], rows, f"{title}; the best first:")
