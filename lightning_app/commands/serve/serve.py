"""The command `lightning_cli serve`: try a network in the browser, or ask it by HTTP."""

import signal
import sys

from jsonargparse import Namespace

from lightning_app.cli.command_parser import CommandParser
from lightning_app.cli.device import Device
from lightning_app.cli.networks.exportable import Exportable
from lightning_app.commands.serve.application import make_application
from lightning_app.commands.serve.page import render_page
from lightning_app.commands.serve.prediction_service import PredictionService
from lightning_app.commands.serve.server import address_of, is_loopback, open_server
from lightning_app.commands.serve.training_images import TrainingImages
from lightning_app.pages.language import LANGUAGES, Language, language_of
from models.device import device_named

DESCRIPTION = """\
Serve a page on which you drop an image and see its class, the evidence for it, and the
most similar training images. POST /predict answers the same as JSON. For many requests, use
`mlflow models serve`.
"""
HOST, PORT = "127.0.0.1", 8000
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]  # names by which a browser may call it


def serve(args: list[str]) -> None:
    """Serve the page and the JSON until Ctrl-C.

    Args:
        args: The command line after `serve`.

    Raises:
        ValueError: If there is no such run, or the address cannot be used.
        SystemExit: With 2 if the command line does not parse.
    """
    options = _parse(args)
    make_server = open_server(options.host, options.port)
    source = Exportable(options.run)
    source.source.model.to(device_named(options.device)).eval()
    page = render_page(source, _language(source, options.language))
    local = is_loopback(options.host)
    if not local:
        print(
            f"warning: --host {options.host} lets other machines in. There is neither a password "
            "nor encryption: all who reach this port can use the network and see training images.",
            file=sys.stderr,
        )
    # SIGTERM ends the server, too, as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    images = TrainingImages(source)
    try:
        service = PredictionService(source.source, images)
        trusted = [*LOOPBACK, options.host] if local else None
        with make_server(make_application(service, page, trusted)) as server:
            address = address_of(server)
            print(f"Network     {source.title}, {len(source.source.class_names)} classes")
            print(f"Open {address} in a browser  (Ctrl-C stops the server)", flush=True)
            server.serve_forever()  # returns after Ctrl-C
    finally:
        images.close()
    print("\nStopped.")


def _language(source: Exportable, wanted: Language | None) -> Language:
    return language_of(source.run, wanted) if source.run else wanted or LANGUAGES[0]


def _parse(args: list[str]) -> Namespace:
    parser = CommandParser(prog="lightning_cli serve", description=DESCRIPTION)
    parser.add_argument(
        "run", type=str, help="A checkpoint file; a run; best, last, or models:/NAME@ALIAS."
    )
    parser.add_argument("--port", type=int, default=PORT, help="Port; 0 takes a free one.")
    parser.add_argument(
        "--host", type=str, default=HOST, help="Address that it listens at; another lets others in."
    )
    parser.add_argument(
        "--device",
        type=Device,
        default="auto",
        help="Device of the network.",
    )
    parser.add_argument(
        "--language",
        type=Language | None,
        default=None,
        help="Language of the page; by default that of the run's report.",
    )
    return parser.parse_args(args)
