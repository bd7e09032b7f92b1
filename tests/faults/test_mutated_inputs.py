"""Readers of files from elsewhere, given files with random changes: a value or an error of ours.

`MUTATIONS=10000 pytest tests/faults/test_mutated_inputs.py` tries that many of each kind of file.
"""

import io
import json
import os
import resource
import shutil
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file

from callbacks.submission import fill_submission
from datamodules import (
    ImageDataModule,
    ManifestDataModule,
    Options,
    PixelCSVDataModule,
    ShardDataModule,
)
from datamodules.sources.decode import file_complaint, read_image
from datamodules.sources.shard_index import stored_file
from datamodules.yaml_file import read_yaml_text
from lightning_app.commands.prepare.shard_writer import write_shards
from lightning_app.store.checkpoints import read_checkpoint
from models.backbones.weight_files import read_weights

MUTATIONS = int(os.environ.get("MUTATIONS", "10"))  # of each kind of file
SECONDS = 10  # of CPU that a reader may take for one small file
MEGABYTES = 600  # that it may take
# What breaks parsers: other separators, numbers beyond every type, text that is none.
PIECES = (
    b', ; \t " \n \r : { [ &a *a !!python/name:os -1 256 1e400 nan ../../etc/passwd =1+1'.split(
        b" "
    )
)
PIECES += [b" ", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xff\xd8\xff\xc0", "é".encode("utf-16")]
PIECES += ["\u202e".encode(), b"9" * 40, b"x" * 300]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "delete", "insert", "repeat", "swap"]),
        st.floats(0, 1, exclude_max=True),
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(PIECES),
    ),
    min_size=1,
    max_size=6,
)


def mutated(data: bytes, edits) -> bytes:
    """Apply edits, each at a place that is given as a share of the length."""
    for kind, where, other, piece in edits:
        at, to = sorted((int(where * len(data)), int(other * len(data))))
        if kind == "flip" and data:
            flipped = data[at] ^ (1 << int(other * 8))
            data = data[:at] + bytes([flipped]) + data[at + 1 :]
        elif kind == "cut":
            data = data[:to]
        elif kind == "delete":
            data = data[:at] + data[min(to, at + 40) :]
        elif kind == "insert":
            data = data[:at] + piece + data[at:]
        elif kind == "repeat":
            data = data[:to] + data[at:to][:2000] + data[to:]
        elif kind == "swap":
            data = data[:at] + piece + data[at + len(piece) :]
    return data


def pixels_csv():
    rows = "".join(
        f"{n % 2},{' '.join(str((n * 7 + k) % 256) for k in range(9))}\n" for n in range(8)
    )
    return f"emotion,pixels\n{rows}".encode()


def encoded(ending, array, **options):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, ending, **options)
    return stream.getvalue()


def images():
    picture = np.random.default_rng(0).integers(0, 255, (12, 10, 3), np.uint8)
    kinds = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "bmp": "BMP", "webp": "WEBP", "ppm": "PPM"}
    kinds |= {"tif": "TIFF"}
    found = {ending: encoded(kind, picture) for ending, kind in kinds.items()}
    exif = Image.Exif()
    exif[0x0112] = 6
    found["turned.jpg"] = encoded("JPEG", picture, exif=exif, progressive=True)
    found["grey.png"] = cv2.imencode(".png", (picture[..., 0].astype(np.uint16) * 257))[1].tobytes()
    return found


def saved(content):
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


WEIGHTS = {"conv.weight": torch.arange(8.0).reshape(2, 4), "conv.bias": torch.zeros(2)}
CHECKPOINT = {"state_dict": WEIGHTS, "hyper_parameters": {"backbone": {"class_path": "SmallCNN"}}}
MANIFEST = "image,label,split\n" + "".join(
    f"{n}.png,{'cat' if n % 2 else 'dog'},{'val' if n > 5 else 'train'}\n" for n in range(10)
)
FIXES = b"image,label,suggested\n0.png,dog,cat\n3.png,cat,\n"
SAMPLE = b"id,label\n0.png,0\n1.png,0\n2.png,0\n3.png,0\n"
CONFIG = b"data: {split: &s {seed: 3}, root: 'a b'}\nother: *s\nlist: [1, .inf, 0x1f]\na: |\n  x\n"
CLASSES = ("cat", "dog")


def read_all(data: ImageDataModule) -> None:
    """What `fit` does with a dataset before the first step, and one image."""
    data.prepare_data()
    data.setup("fit")
    data.sources["train"].read(0)


def manifest(file, options=None):
    return ManifestDataModule(
        file, image_size=8, num_workers=0, options=options or Options(), augmentation="none"
    )


def read_yaml(file):
    return yaml.safe_load(read_yaml_text(file))


def read_picture(file):
    complaint = file_complaint(file)
    assert read_image(file, 3).dtype == np.uint8
    assert complaint is None


def read_shards(file):
    """A table of images whose entry in the index is right."""
    index = json.loads(Path("shards/index.json").read_text())
    index["splits"]["train"]["table"] = asdict(stored_file(file))
    Path("shards/index.json").write_text(json.dumps(index))
    read_all(ShardDataModule("shards", image_size=8, num_workers=0))


def read_index(file):
    file.replace("shards/index.json")
    read_all(ShardDataModule("shards", image_size=8, num_workers=0))


def fill(file):
    fill_submission(
        file, [f"{n}.png" for n in range(4)], np.eye(len(CLASSES))[[0, 1, 0, 1]], CLASSES
    )


READERS = {
    "manifest.csv": lambda file: read_all(manifest(file)),
    "pixels.csv": lambda file: read_all(PixelCSVDataModule(file, image_size=3)),
    "fixes.csv": lambda file: read_all(manifest("good.csv", Options(label_fixes=file))),
    "sample.csv": fill,
    "config.yaml": read_yaml,
    "shards/index.json": read_index,
    "shards/train.parquet": read_shards,
    "a.ckpt": read_checkpoint,
    "weights.pth": lambda file: read_weights(file, WEIGHTS),
    "weights.safetensors": lambda file: read_weights(file, WEIGHTS),
    **dict.fromkeys(map("picture.{}".format, images()), read_picture),
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A folder with one valid file for each reader."""
    folder = tmp_path_factory.mktemp("inputs")
    for name, content in images().items():
        (folder / f"picture.{name}").write_bytes(content)
    for number in range(10):
        (folder / f"{number}.png").write_bytes(images()["png"])
    tables = {"manifest.csv": MANIFEST.encode(), "good.csv": MANIFEST.encode()}
    tables |= {"pixels.csv": pixels_csv(), "fixes.csv": FIXES, "sample.csv": SAMPLE}
    tables |= {"config.yaml": CONFIG, "a.ckpt": saved(CHECKPOINT), "weights.pth": saved(WEIGHTS)}
    for name, content in tables.items():
        (folder / name).write_bytes(content)
    save_file(WEIGHTS, folder / "weights.safetensors")
    (folder / "shards").mkdir()
    data = manifest(folder / "manifest.csv")
    data.setup("fit")
    write_shards(data, folder / "shards", 10**6, 0)
    return folder


@pytest.fixture
def bounded():
    """A limit of memory above what the process has now."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEGABYTES * 2**20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("name", READERS)
def test_changed_file_is_read_or_refused(inputs, monkeypatch, tmp_path, bounded, name):
    monkeypatch.chdir(shutil.copytree(inputs, tmp_path / "copy"))
    valid = Path(name).read_bytes()
    READERS[name](Path(name))
    ends = Counter()

    @settings(
        max_examples=MUTATIONS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[*HealthCheck.__members__.values()],
    )
    @given(EDITS)
    def check(edits):
        Path(name).write_bytes(mutated(valid, edits))
        started = time.process_time()
        try:
            READERS[name](Path(name))
            ends["read"] += 1
        except (ValueError, yaml.YAMLError):  # the parser reports the line of the latter
            ends["refused"] += 1
        assert time.process_time() - started < SECONDS

    check()
    assert ends["refused"] > 0
