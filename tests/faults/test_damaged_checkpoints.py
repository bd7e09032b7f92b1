"""Checkpoints that are cut off, have flipped bits, or hold something else than a fit saves."""

import random
from contextlib import suppress

import pytest
import torch

from lightning_app.store.checkpoint_io import AtomicCheckpointIO
from lightning_app.store.checkpoints import read_checkpoint

READERS = (read_checkpoint, AtomicCheckpointIO().load_checkpoint)


def test_cut_off_file_is_an_error_with_its_name(folder, tmp_path):
    whole = (folder / "best.ckpt").read_bytes()
    for length in (0, 1, 4, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.ckpt").write_bytes(whole[:length])
        for read in READERS:
            with pytest.raises(ValueError, match=r"cut\.ckpt is damaged or not a checkpoint"):
                read(tmp_path / "cut.ckpt")


def test_flipped_bits_give_values_or_an_error_of_ours(folder, tmp_path):
    whole = bytearray((folder / "best.ckpt").read_bytes())
    drawn, refused = random.Random(0), 0
    for _ in range(100):
        flipped = bytearray(whole)
        for _ in range(drawn.choice((1, 3, 30))):
            flipped[drawn.randrange(len(whole))] ^= 1 << drawn.randrange(8)
        (tmp_path / "flipped.ckpt").write_bytes(flipped)
        for read in READERS:
            with suppress(ValueError):
                assert isinstance(read(tmp_path / "flipped.ckpt"), dict)
                continue
            refused += 1
    assert refused > 10


@pytest.mark.parametrize("command", ["test", "explain"])
@pytest.mark.parametrize(
    ("key", "value"),
    [("state_dict", [1]), ("hyper_parameters", "x"), ("hyper_parameters", [("a", 1)])],
)
def test_content_of_another_kind_is_refused(tampered, refused, write_image, command, key, value):
    with tampered() as (content, file):
        content[key] = value
    write_image(file.parent / "a.png")
    options = {"test": ("--config", "config.yaml"), "explain": ("--images", file.parent / "a.png")}
    error = refused(command, "--ckpt_path", file, *options[command])
    assert f"{file} is damaged" in error


def test_list_in_place_of_a_checkpoint_is_refused(tmp_path):
    torch.save([1, 2], tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match="is not a checkpoint of a fit"):
        read_checkpoint(tmp_path / "a.ckpt")
