import json
import sys

import numpy as np
import pytest
import webdataset
import yaml
from PIL import Image

from datamodules import DigitsDataModule, ShardDataModule
from datamodules.sources.decode import read_image
from lightning_app.commands.prepare.check.check import list_dataset
from lightning_app.commands.prepare.check.configured import list_configured
from lightning_app.commands.prepare.shard import shard


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Thirty noisy images in two classes, and the configuration of a fit on them."""
    rng = np.random.default_rng(0)
    for index in range(30):
        file = tmp_path / "images" / ("cat", "dog")[index % 2] / f"{index}.JPG"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8)).save(file)
    data = {"class_path": "ImageFolderDataModule", "init_args": {"root": "images"}}
    settings = {"data": data, "model": {"class_path": "Any"}, "trainer": {"max_epochs": 3}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*options, out="out"):
    shard(["--config", "config.yaml", "--out", out, *options])


def content_of(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_webdataset_reads_the_unchanged_files_with_class_and_name(folder):
    write("--shard_mb", "0.002")
    files = [str(file) for file in sorted((folder / "out").glob("*.tar"))]
    samples = list(webdataset.WebDataset(files, shardshuffle=False))
    assert len(samples) == 30
    for sample in samples:
        facts = json.loads(sample["json"])
        assert sample["jpg"] == (folder / "images" / facts["name"]).read_bytes()
        assert facts["name"].startswith(facts["label"])
        assert ("cat", "dog")[int(sample["cls"])] == facts["label"]


def test_images_in_memory_are_stored_without_loss(folder):
    (folder / "config.yaml").write_text("data: {class_path: DigitsDataModule}")
    write("--data.image_size", "8")
    shards = ShardDataModule("out", image_size=8, num_channels=1).sources["val"]
    digits = DigitsDataModule(image_size=8).sources["val"]
    assert sorted(shards.names) == sorted(digits.names)
    for index, name in enumerate(shards.names):
        other = digits.names.index(name)
        assert shards.labels[index] == digits.labels[other]
        assert np.array_equal(shards.read(index), digits.read(other))


def test_command_prints_what_it_wrote_and_how_to_train_on_it(folder, capsys):
    write("--data.image_size", "16")
    printed = capsys.readouterr().out
    assert "train: 22 images in 1 shard (0." in printed
    assert "--data.root out --data.image_size 16 --data.num_channels 3" in printed


def test_every_shard_holds_both_classes(folder):
    write("--shard_mb", "0.003")
    source = ShardDataModule("out").sources["train"]
    blocks = source.blocks()
    assert blocks.max() > 1
    assert all(len(set(source.labels[blocks == block])) == 2 for block in range(blocks.max()))


def test_bytes_depend_only_on_the_images_and_the_seed(folder):
    for out, seed in (("first", "0"), ("same", "0"), ("other", "1")):
        write("--seed", seed, out=out)
    first, same, other = (content_of(folder / name) for name in ("first", "same", "other"))
    assert first == same
    assert first["train-000000.tar"] != other["train-000000.tar"]


def test_shards_of_shards_keep_the_image_files(folder):
    write("--shard_mb", "0.003")
    options = ["--data", "ShardDataModule", "--data.root", "out", "--out", "larger"]
    shard(options)
    small, large = (ShardDataModule(root).sources["train"] for root in ("out", "larger"))
    assert len(set(large.blocks())) == 1
    for index, name in enumerate(large.names):
        row = small.names.index(name)
        assert large.reader.encoded(index) == small.reader.encoded(row)


def test_groups_and_images_without_a_label_are_kept(folder):
    rows = ["image,label,split,group"]
    for index, split in enumerate(["train"] * 6 + ["val"] * 4 + ["predict"] * 2):
        name = ("cat", "dog")[index % 2]
        label = "" if split == "predict" else name
        rows.append(f"images/{name}/{index}.JPG,{label},{split},group {index // 2}")
    (folder / "rows.csv").write_text("\n".join(rows))
    options = ["--data", "ManifestDataModule", "--data.manifest", "rows.csv", "--out", "out"]
    shard([*options, "--data.split.test", "0"])
    sources = ShardDataModule("out").load()
    assert sorted(sources["val"].groups) == ["group 3", "group 3", "group 4", "group 4"]
    assert sources["predict"].labels.tolist() == [-1, -1]


def test_folder_that_is_not_empty_is_not_changed(folder):
    (folder / "out").mkdir()
    (folder / "out" / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"out is not empty; shards need a new folder"):
        write()
    assert [file.name for file in (folder / "out").iterdir()] == ["mine.txt"]


def test_unreadable_image_leaves_no_partial_shards(folder):
    (folder / "images" / "cat" / "0.JPG").write_bytes(b"broken")
    before = {*folder.iterdir(), folder / "mlruns"}  # where the checked images are remembered
    with pytest.raises(ValueError, match=r"1 of 30 images cannot be read(.|\n)*cat/0.JPG"):
        write()
    assert {*folder.iterdir()} <= before


def test_unreadable_image_is_left_out_with_on_error_skip(folder):
    (folder / "images" / "cat" / "0.JPG").write_bytes(b"broken")
    with pytest.warns(UserWarning, match="They are left out"):
        write("--data.options.on_error", "skip")
    assert sum(map(len, ShardDataModule("out").sources.values())) == 29


def test_missing_configuration_is_named(folder):
    with pytest.raises(ValueError, match=r"`prepare shard` needs a dataset: --config FILE.yaml"):
        shard(["--out", "out"])


def test_missing_folder_to_write_is_named(folder):
    with pytest.raises(ValueError, match=r"`prepare shard` needs a folder to write to: --out DIR"):
        shard(["--config", "config.yaml"])


def test_size_has_to_be_positive(folder):
    with pytest.raises(ValueError, match=r"Expected --shard_mb to be positive, got 0\.0\."):
        write("--shard_mb", "0")


def test_unknown_setting_is_reported_with_its_line(folder, capsys):
    (folder / "config.yaml").write_text(
        "data:\n  class_path: ImageFolderDataModule\n  init_args:\n    rot: images\n"
    )
    with pytest.raises(SystemExit):
        write()
    assert "config.yaml, line 4: `data` (ImageFolderDataModule) has no key 'rot'" in (
        capsys.readouterr().err
    )


def test_error_about_a_missing_package_tells_how_to_install_it(folder, monkeypatch):
    monkeypatch.delitem(sys.modules, "lightning_app.commands.prepare.shard_writer", raising=False)
    monkeypatch.setitem(sys.modules, "webdataset.writer", None)
    with pytest.raises(ValueError, match=r"needs the package webdataset.*uv sync --extra shards"):
        write()


def test_check_lists_the_images_of_shards_with_and_without_options_of_a_fit(folder):
    write("--shard_mb", "0.002")
    plain = list_dataset(folder / "out")
    options = ["--data=ShardDataModule", "--data.root=out", "--data.split.seed=1"]
    for listing in (plain, list_configured(options)):
        assert len(listing.entries) == 30
        for entry in listing.entries:
            [file] = (folder / "images").rglob(entry.name.rpartition("/")[2])
            assert entry.label == file.parent.name
            assert np.array_equal(entry.read(), read_image(file, 3))
