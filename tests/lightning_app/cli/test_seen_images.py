import pytest
import yaml

from datamodules import ImageFolderDataModule
from lightning_app.cli.seen_images import count_seen, differing_settings
from lightning_app.store.recorded_images import contents
from lightning_app.store.stored_run import open_stored_run

NAMES = [f"{kind}/{number}.png" for kind in ("cat", "dog") for number in range(6)]


def settings(root, **more):
    arguments = {"root": str(root), "image_size": 8, "num_workers": 0, **more}
    return {"class_path": "datamodules.ImageFolderDataModule", "init_args": arguments}


@pytest.fixture
def folder(tmp_path, write_image):
    """Function that writes a class folder; equal names have another colour in each folder."""

    def write(name, shade):
        for index, image in enumerate(NAMES):
            write_image(tmp_path / name / image, (shade, 10 * index, 0), (8, 8))
        return tmp_path / name

    return write


@pytest.fixture
def record(make_run, client):
    """Function that opens a run that was trained on all images of a folder."""

    def store(root, splits="train", content=False):
        run_id = make_run()
        client.log_text(run_id, yaml.safe_dump({"data": settings(root)}), "config/config.yaml")
        data = ImageFolderDataModule(root, image_size=8)
        known = {
            n: d for s in data.sources.values() for n, d in zip(s.names, contents(s), strict=True)
        }
        lines = [f"{name},{name.split('/')[0]},{splits},{known[name]}" for name in NAMES]
        head = f"image,label,split,{'content' if content else 'unknown'}"
        client.log_text(run_id, "\n".join([head, *lines]), "data/splits.csv")
        return open_stored_run(client, client.get_run(run_id))

    return store


def count(opened, root, split="test"):
    data = ImageFolderDataModule(root, image_size=8, num_workers=0)
    with opened as run:
        return count_seen(run, data, split, settings(root)), len(data.sources[split])


content = pytest.mark.parametrize("content", [False, True])  # whether the run has recorded it


@content
def test_images_of_the_training_set_are_counted(folder, record, content):
    root = folder("a", 50)
    number, total = count(record(root, content=content), root)
    assert number == total > 0


@content
def test_other_images_with_the_same_names_are_not_taken_for_them(folder, record, content):
    assert count(record(folder("a", 50), content=content), folder("b", 200))[0] == 0


@content
def test_copies_of_a_dataset_in_another_folder_are_recognised(folder, record, content):
    number, total = count(record(folder("a", 50), content=content), folder("b", 50))
    assert number == total


def test_copies_with_other_names_are_recognised(folder, record, tmp_path):
    opened = record(folder("a", 50), content=True)
    root = folder("b", 50)
    for number, file in enumerate(sorted(root.rglob("*.png"))):
        file.rename(file.with_name(f"renamed_{number}.png"))
    number, total = count(opened, root)
    assert number == total > 0


@content
def test_equal_names_are_equal_images_if_the_dataset_has_moved(folder, record, tmp_path, content):
    opened = record(folder("a", 50), content=content)
    (tmp_path / "a").rename(tmp_path / "moved")
    number, total = count(opened, tmp_path / "moved")
    assert number == total


def test_images_that_the_run_itself_tested_on_do_not_count(folder, record):
    root = folder("a", 50)
    assert count(record(root, splits="test", content=True), root)[0] == 0


def test_runs_of_earlier_versions_without_splits_are_not_checked(folder, make_run, client):
    root = folder("a", 50)
    assert count(open_stored_run(client, client.get_run(make_run())), root)[0] == 0


def test_settings_that_cannot_change_a_split_do_not_count():
    before = settings("a", split={"seed": 0, "val": 0.15}, batch_size=16)
    now = settings("b", split={"seed": 1, "val": 0.15}, batch_size=64)
    assert differing_settings(before, now) == {
        "data.split.seed": ("0", "1"),
        "data.root": ("a", "b"),
    }
