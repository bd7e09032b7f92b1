"""HTTP server of `serve`: its address, and who can reach it."""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class QuietHandler(WSGIRequestHandler):
    """Prints errors, but no line for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """See `WSGIRequestHandler`."""


def open_server(host: str, port: int) -> Callable[[Flask], BaseWSGIServer]:
    """Take an address.

    Args:
        host: Name or address of this machine.
        port: Port; 0 for a free one.

    Returns:
        Function that makes the server of an application at this address. Its address is known
        before the network is built, which takes seconds.

    Raises:
        ValueError: If the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise ValueError(
            f"The address {host}, port {port}, cannot be used: {error}. Choose another with --port "
            "or --host."
        ) from error

    def serve(app: Flask) -> BaseWSGIServer:
        with listening:  # the server has a copy
            return make_server(
                host, port, app, True, request_handler=QuietHandler, fd=listening.fileno()
            )

    return serve


def address_of(server: BaseWSGIServer) -> str:
    """The address of a server for a browser."""
    host: Any = server.server_address[0]
    return f"http://{f'[{host}]' if ':' in host else host}:{server.port}"


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
