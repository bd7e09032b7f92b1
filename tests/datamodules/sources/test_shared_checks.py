"""Two processes that share the check of one dataset."""

import os

import numpy as np
import torch.distributed as dist

from datamodules.sources import checked_files
from datamodules.sources.files import FileReader
from datamodules.sources.shared_checks import shared_checks
from datamodules.sources.source import ImageSource


def _check(rank, folder, names):
    store = f"file://{folder}/meeting"
    dist.init_process_group("gloo", store, rank=rank, world_size=2)
    looked = []
    look = checked_files.check_file

    def looking(file):
        looked.append(file)
        return look(file)

    checked_files.check_file = looking
    source = ImageSource(FileReader(folder, names, 8, 3), np.zeros(len(names), np.int64), names)
    faults = [check.fault for check in shared_checks(source, "checking")]
    (folder / f"found{rank}").write_text(f"{len(looked)}\n" + "\n".join(faults))


def test_each_process_looks_at_its_share_and_knows_what_all_have_found(
    tmp_path, write_image, monkeypatch
):
    monkeypatch.chdir(tmp_path)  # where the cache is
    names = [f"{index}.png" for index in range(7)]
    for name in names:
        write_image(tmp_path / name)
    (tmp_path / "2.png").write_bytes(b"%PDF")
    (tmp_path / "5.png").write_bytes(b"")
    children = []
    for rank in range(2):
        if not (child := os.fork()):
            _check(rank, tmp_path, names)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    first, second = ((tmp_path / f"found{rank}").read_text().split("\n") for rank in range(2))
    assert (first[0], second[0]) == ("4", "3")
    assert first[1:] == second[1:]
    assert [bool(fault) for fault in first[1:]] == [name in ("2.png", "5.png") for name in names]
