import sys
from http.server import SimpleHTTPRequestHandler
from importlib import import_module

import fsspec.config
import pytest

from datamodules.sources import remote
from datamodules.sources.remote import StorageError, read_bytes
from tests.datamodules.sources.conftest import serving


def test_connection_that_always_breaks_is_an_error(serve, monkeypatch, caplog):
    monkeypatch.setattr(remote, "WAITS", (0.0, 0.0))
    with (
        serve(broken=range(10)) as (url, log),
        pytest.raises(StorageError, match=r"index.json cannot be read after 3 attempts: ClientPay"),
    ):
        read_bytes(f"{url}/index.json")
    assert len(log) == 3
    assert caplog.text.count("ClientPay") == 2  # each wait is announced, with its cause
    assert "trying again in 0 s." in caplog.text


def test_what_is_read_ahead_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(remote, "WAITS", (0.0, 1e9))
    with pytest.raises(StorageError, match="cannot be read after 2 attempts"):
        read_bytes("http://127.0.0.1:9/index.json", patient=False)


def test_missing_index_of_a_server_is_named(tmp_path, serve_without_ranges):
    with serve_without_ranges(tmp_path) as url, pytest.raises(StorageError, match="no http://127"):
        read_bytes(f"{url}/index.json")


def test_without_network_the_url_is_named(monkeypatch):
    monkeypatch.setattr(remote, "WAITS", ())
    with pytest.raises(
        StorageError, match=r"http://127.0.0.1:9/index.json cannot be read after 1 at"
    ):
        read_bytes("http://127.0.0.1:9/index.json")


def test_unknown_protocol_is_named():
    with pytest.raises(StorageError, match=r"nowhere://x cannot be read: Protocol not known"):
        read_bytes("nowhere://x")


def test_error_about_a_missing_package_tells_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    known = import_module("fsspec.registry")._registry  # `fsspec.registry` is a dict
    monkeypatch.delitem(known, "s3", raising=False)  # of protocols that were used before
    with pytest.raises(StorageError, match=r"s3://b/x needs a package .*uv sync --extra shards"):
        read_bytes("s3://b/x")


@pytest.mark.parametrize("status", [401, 403])
def test_refusal_of_a_server_is_an_error_at_once(tmp_path, status):
    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_error(status)

        def log_message(self, format, *args):
            pass

    requests = []
    with (
        serving(tmp_path, Handler) as url,
        pytest.raises(StorageError, match=rf"x.tar may not be read \(.*{status}.*Check the cred"),
    ):
        read_bytes(f"{url}/x.tar", 0, 10)
    assert len(requests) == 1


def test_server_that_sends_nothing_is_an_error(serve, monkeypatch):
    monkeypatch.setattr(remote, "WAITS", ())
    monkeypatch.setattr(remote, "SILENCE", 0.05)
    with serve(held=["index.json"]) as (url, _, gates):
        with pytest.raises(StorageError, match=r"index.json cannot be .*Timeout.*can be resumed"):
            read_bytes(f"{url}/index.json")
        gates["index.json"].opened.set()


def test_settings_of_fsspec_are_kept(monkeypatch):
    kept = {"client_kwargs": {"headers": {"X-Key": "1"}}}
    monkeypatch.setitem(fsspec.config.conf, "https", kept)
    options = remote._options_of("https")["client_kwargs"]
    assert options["headers"] == {"X-Key": "1"}
    assert options["timeout"].sock_read == remote.SILENCE
