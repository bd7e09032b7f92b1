import os

import pytest

from datamodules.atomic_files import atomic_write


def test_the_target_appears_when_the_block_ends_and_nothing_else_stays(tmp_path):
    target = tmp_path / "new" / "folder" / "table.csv"
    with atomic_write(target) as unfinished:
        unfinished.write_text("a,b\n")
        assert not target.exists()
        assert not list(target.parent.rglob("*.csv"))
    assert target.read_text() == "a,b\n"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_keeps_the_previous_content(tmp_path, error):
    target = tmp_path / "table.csv"
    target.write_text("before")

    def write():
        with atomic_write(target) as unfinished:
            unfinished.write_text("half of it")
            raise error

    with pytest.raises(type(error)):
        write()
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_the_content_is_synced_before_it_gets_its_name(tmp_path, monkeypatch):
    target, synced = tmp_path / "table.csv", []

    def fsync(descriptor):
        synced.append((os.fstat(descriptor).st_size, target.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    with atomic_write(target) as unfinished:
        unfinished.write_text("12345")
    assert synced == [(5, False)]


def test_the_file_has_the_usual_permissions(tmp_path):
    usual = tmp_path / "usual"
    usual.touch()
    with atomic_write(tmp_path / "atomic") as unfinished:
        unfinished.touch()
    assert (tmp_path / "atomic").stat().st_mode == usual.stat().st_mode
