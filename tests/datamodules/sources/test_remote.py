import sys

import pytest

from datamodules.sources import remote
from datamodules.sources.remote import StorageError, read_bytes


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
    with pytest.raises(StorageError, match=r"s3://b/x needs a package .*uv sync --extra shards"):
        read_bytes("s3://b/x")
