"""Datasets of Hugging Face as `datasets` writes them, read without that package."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from datamodules import ManifestDataModule
from datamodules.tables.table_files import manifest_files
from lightning_app.cli.one_line.expand import expand
from lightning_app.cli.one_line.layouts import layout_of
from lightning_app.commands.prepare.check.check import list_dataset
from lightning_app.commands.prepare.check.configured import list_configured

CLASSES = ["dog", "cat"]  # in an order of their own
FEATURES = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": CLASSES}}


def table(numbers):
    """Images whose grey is ten times their number, and whose class is cat if it is odd."""
    images = []
    for number in numbers:
        content = io.BytesIO()
        Image.fromarray(np.full((8, 8, 3), 10 * number, np.uint8)).save(content, "PNG")
        images.append({"bytes": content.getvalue(), "path": f"{number}.png"})
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    columns = {"image": pa.array(images, kind), "label": pa.array([n % 2 for n in numbers])}
    noted = json.dumps({"info": {"features": FEATURES}})
    return pa.table(columns).replace_schema_metadata({"huggingface": noted})


def save_split(folder, rows, **state):
    """A split as `save_to_disk` writes it: a stream of batches, and two files of JSON."""
    folder.mkdir(parents=True)
    file = folder / "data-00000-of-00001.arrow"
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows, max_chunksize=5)
    (folder / "state.json").write_text(
        json.dumps({"_data_files": [{"filename": file.name}]} | state)
    )
    (folder / "dataset_info.json").write_text("{}")


def save_splits(root):
    save_split(root / "train", table(range(12)))
    save_split(root / "test", table(range(12, 18)))
    (root / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')


def write_shards(root):
    """As a repository on the Hub has them."""
    (root / "data").mkdir(parents=True)
    for number, rows in enumerate((range(6), range(6, 12))):
        pq.write_table(table(rows), root / "data" / f"train-0000{number}-of-00002.parquet")
    pq.write_table(table(range(12, 18)), root / "data" / "test-00000-of-00001.parquet")
    (root / "README.md").write_text("# A dataset")


def write_cache(root):
    """As `load_dataset` leaves them in its cache."""
    folder = root / "default" / "0.0.0" / "0123456789abcdef"
    folder.mkdir(parents=True)
    for split, rows in (("train", range(12)), ("test", range(12, 18))):
        file = folder / f"images-{split}.arrow"
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, table(rows).schema) as out:
            out.write_table(table(rows))
    (folder / "dataset_info.json").write_text("{}")
    (folder / "cache-fedcba.arrow").write_bytes(b"of a call of map")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of_source(source, names):
    """Class of each image by its number."""
    greys = [int(source.read(index)[0, 0, 0]) for index in range(len(source))]
    return {grey // 10: names[label] for grey, label in zip(greys, source.labels, strict=True)}


@pytest.mark.parametrize("write", [save_splits, write_shards, write_cache])
def test_images_labels_and_splits_are_read_however_they_are_saved(write):
    write(Path("saved"))
    section = layout_of("saved")
    assert section["class_path"] == "datamodules.ManifestDataModule"
    data = ManifestDataModule(**section["init_args"], image_size=8, num_workers=0)
    assert data.class_names == ("dog", "cat")
    found = {split: of_source(source, data.class_names) for split, source in data.sources.items()}
    assert found["test"] == {number: CLASSES[number % 2] for number in range(12, 18)}
    assert {**found["train"], **found["val"]} == {n: CLASSES[n % 2] for n in range(12)}
    listed = list_dataset(Path("saved")).entries
    assert {(entry.split, int(entry.read()[0, 0, 0]) // 10, entry.label) for entry in listed} == {
        ("train" if number < 12 else "test", number, CLASSES[number % 2]) for number in range(18)
    }


def test_a_single_split_is_divided():
    save_split(Path("saved"), table(range(20)))
    assert manifest_files("saved") == {"": Path("saved")}
    data = ManifestDataModule("saved", image_size=8, num_workers=0)
    assert sum(map(len, data.sources.values())) == 20


def test_a_selection_without_its_rows_is_refused():
    save_split(Path("saved"), table(range(4)), _indices_data_files=[{"filename": "indices.arrow"}])
    with pytest.raises(
        ValueError, match=r"is a selection of rows; save it again after dataset\.flatten"
    ):
        _ = ManifestDataModule("saved", image_size=8, num_workers=0).sources


def test_one_line_takes_a_saved_dataset_a_parquet_file_and_a_flat_folder():
    save_splits(Path("saved"))
    pq.write_table(table(range(20)), "images.parquet")
    for number in range(20):
        file = Path("flat", f"{CLASSES[number % 2]}.{number}.png")
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), 10 * number, np.uint8)).save(file)
    pattern = r"--data.pattern=^(\w+)\."
    for path, more in (("saved", []), ("images.parquet", []), ("flat", [pattern])):
        [command, chosen, *own] = expand(["fit", path, "--recipe", "scratch", *more]).arguments
        config = yaml.safe_load(chosen.removeprefix("--config="))
        kind = "ImageFolderDataModule" if more else "ManifestDataModule"
        assert command == "fit"
        assert own[-1:] == (more or own[-1:])
        assert config["data"]["class_path"] == f"datamodules.{kind}"
        assert config["data"]["init_args"]["image_size"] == 32  # the files have 8


def test_check_lists_the_splits_of_a_fit_with_its_options():
    labels = [CLASSES[number % 2] for number in range(20)]
    for number, label in enumerate(labels):
        file = Path("flat", f"{label}.{number:02d}.png")
        file.parent.mkdir(exist_ok=True)
        grey = 10 * (5 if number == 19 else number)  # the last image is a copy
        Image.fromarray(np.full((8, 8, 3), grey, np.uint8)).save(file)
    options = ["--data.root=flat", r"--data.pattern=^(\w+)\.", "--data.split.val_last_n=4"]
    folders = ["--data=ImageFolderDataModule", *options, "--data.split.test=0"]
    listing = list_configured(folders)
    assert [entry.name for entry in listing.entries if entry.split == "val"] == [
        f"dog.{number}.png" for number in (12, 14, 16, 18)
    ]
    rows = "".join(
        f"../flat/{file.name},{file.name[:3]}\n" for file in sorted(Path("flat").iterdir())
    )
    Path("tables").mkdir()
    Path("tables/all.csv").write_text(f"image,label\n{rows}")
    table = ["--data=ManifestDataModule", "--data.manifest=tables/all.csv"]
    with pytest.raises(ValueError, match=r"20 lie outside of it: --data.allow_outside true reads"):
        list_configured(table)
    last = ["--data.split.val_last_n=1", "--data.split.test=0"]
    listing = list_configured([*table, "--data.allow_outside=true", *last])
    [validated] = [entry for entry in listing.entries if entry.split == "val"]
    assert validated.name == "../flat/dog.18.png"
