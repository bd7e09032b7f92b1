import gzip
import hashlib
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from torchvision import datasets
from torchvision.datasets import utils

from datamodules import TorchvisionDataModule
from datamodules.known_sets import fetch as fetch_module
from datamodules.known_sets.downloads import resuming_downloads
from datamodules.known_sets.fetch import DownloadError, fetch

CONTENT = bytes(range(256)) * 400
NOBODY = "http://127.0.0.1:1/"  # where no server listens


class Server(ThreadingHTTPServer):
    """Serves `files`; the next responses stop after some bytes, or are damaged."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.ranges, self.num_sent = {"file.bin": CONTENT}, [], 0
        self.knows_ranges, self.breaks_after, self.num_damaged = True, [], 0
        self.url = f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        asked, content = self.headers["Range"], self.server.files.get(self.path[1:])
        self.server.ranges.append(asked)
        start = int(asked[6:-1]) if asked and self.server.knows_ranges else 0
        if content is None:
            self.send_error(404, "Not Found")
        elif start >= len(content):
            self._begin(416, "Content-Range", f"bytes */{len(content)}")
        else:
            self._begin(206 if start else 200, "Content-Length", str(len(content) - start))
            breaks = self.server.breaks_after
            body = content[start:][: breaks.pop(0) if breaks else None]
            self.server.num_sent += len(body)
            self.server.num_damaged -= 1
            self.wfile.write(body[::-1] if self.server.num_damaged >= 0 else body)

    def _begin(self, status, header, value):
        self.send_response(status)
        self.send_header(header, value)
        self.end_headers()

    def log_message(self, format, *args):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(fetch_module, "PAUSE", 0)
    return tmp_path / "file.bin"


@pytest.fixture
def part(file):
    return file.with_name("file.bin.part")


def md5(content):
    return hashlib.md5(content).hexdigest()


def test_broken_download_resumes_without_repeating_a_byte(server, file, part):
    server.breaks_after = [30_000, 1_000]
    fetch(server.url + "file.bin", file)
    assert file.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=30000-", "bytes=31000-"]
    assert server.num_sent == len(CONTENT)
    assert not part.exists()


def test_next_run_resumes_where_the_last_stopped(server, file, part):
    part.write_bytes(CONTENT[:50_000])
    fetch(server.url + "file.bin", file)
    assert file.read_bytes() == CONTENT
    assert server.num_sent == len(CONTENT) - 50_000


def test_server_without_ranges_starts_over(server, file):
    server.knows_ranges, server.breaks_after = False, [30_000]
    fetch(server.url + "file.bin", file)
    assert file.read_bytes() == CONTENT
    assert server.num_sent == len(CONTENT) + 30_000


def test_complete_part_is_used(server, file, part):
    part.write_bytes(CONTENT)
    fetch(server.url + "file.bin", file)
    assert file.read_bytes() == CONTENT
    assert server.num_sent == 0


def test_part_that_is_too_long_is_downloaded_again(server, file, part):
    part.write_bytes(CONTENT * 2)
    fetch(server.url + "file.bin", file)
    assert file.read_bytes() == CONTENT


def test_download_stops_after_five_broken_connections(server, file, part):
    server.breaks_after = [10, *[0] * fetch_module.ATTEMPTS]
    with pytest.raises(DownloadError, match=r"connection broke 5 times in a row; the next start"):
        fetch(server.url + "file.bin", file)
    assert part.read_bytes() == CONTENT[:10]


def test_file_that_the_server_lacks_is_named(server, file):
    with pytest.raises(
        DownloadError, match=rf"other\.bin .* 404 Not Found\. .* save it as {file}\."
    ):
        fetch(server.url + "other.bin", file)


def test_missing_network_is_reported_at_once(file):
    with pytest.raises(
        DownloadError, match=rf"{NOBODY}x cannot.* no network \(.*save it as {file}"
    ):
        fetch(NOBODY + "x", file)


def test_file_with_a_wrong_checksum_is_downloaded_again(server, file):
    server.num_damaged = 1
    with resuming_downloads():
        utils.download_url(server.url + "file.bin", file.parent, md5=md5(CONTENT))
    assert file.read_bytes() == CONTENT
    assert server.num_sent == 2 * len(CONTENT)


def test_file_with_a_wrong_checksum_twice_is_refused_and_removed(server, file):
    server.num_damaged, expected = 2, md5(CONTENT)
    match = rf"its MD5 checksum was twice not {expected}"
    with pytest.raises(DownloadError, match=match), resuming_downloads():
        utils.download_url(server.url + "file.bin", file.parent, md5=expected)
    assert not list(file.parent.iterdir())


def test_torchvision_has_its_own_functions_again_after_an_error(file):
    before = dict(vars(utils))
    with pytest.raises(DownloadError), resuming_downloads():
        utils.download_url(NOBODY, file.parent, "file.bin")
    assert vars(utils) == before


def test_archives_are_unpacked_atomically(tmp_path):
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        stream.writestr("set/train/1.txt", "one")
        stream.writestr("set/test/2.txt", "two")
    whole = archive.read_bytes()
    archive.write_bytes(whole.replace(b"two", b"owt"))
    with pytest.raises(zipfile.BadZipFile), resuming_downloads():
        utils.extract_archive(archive, tmp_path)
    assert not (tmp_path / "set").exists()
    (tmp_path / "set" / "train").mkdir(parents=True)  # as another archive may have left it
    archive.write_bytes(whole)
    with resuming_downloads():
        utils.extract_archive(archive, tmp_path)
    assert {file.name for file in tmp_path.rglob("*.*")} == {"set.zip", "1.txt", "2.txt"}


@pytest.fixture
def tiny_mnist(server, monkeypatch):
    """MNIST with ten images per split, on the server, and on a mirror that is gone."""
    for name, _ in datasets.MNIST.resources:
        array = np.ones((10, 28, 28) if "images" in name else 10, np.uint8)
        header = np.array((8 * 256 + array.ndim, *array.shape), ">i4")
        server.files[name] = gzip.compress(header.tobytes() + array.tobytes())
    del server.files["file.bin"]
    resources = [(name, md5(content)) for name, content in server.files.items()]
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    monkeypatch.setattr(datasets.MNIST, "mirrors", [NOBODY, server.url])


def test_dataset_is_downloaded_by_one_process_while_others_wait(server, file, tiny_mnist):
    server.breaks_after = [20]
    with ThreadPoolExecutor(2) as pool:
        sets = [TorchvisionDataModule("MNIST", file.parent) for _ in range(2)]
        loaded = list(pool.map(TorchvisionDataModule.load, sets))
    assert [sources["test"].labels.tolist() for sources in loaded] == [[1] * 10] * 2
    assert server.num_sent == sum(map(len, server.files.values()))
