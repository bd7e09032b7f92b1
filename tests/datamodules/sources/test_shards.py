import pickle

import numpy as np
import pytest

from datamodules import ShardDataModule
from datamodules.sources import shards as shards_module
from datamodules.sources.cache import cached
from datamodules.sources.remote import StorageError
from datamodules.sources.shard_index import StoredFile, parse_index


def module_of(root, **options):
    return ShardDataModule(str(root), image_size=8, num_workers=0, **options)


def content_of(data):
    """Name, class and pixels of all images of all splits."""
    return {
        split: sorted(
            (source.names[i], data.class_names[source.labels[i]], source.read(i).tobytes())
            for i in range(len(source))
        )
        for split, source in data.sources.items()
    }


def test_images_labels_names_and_splits_are_those_of_the_folder(noise_folder, shards):
    assert content_of(module_of(shards)) == content_of(noise_folder)


def test_images_of_a_server_are_those_of_the_folder(noise_folder, serve):
    with serve() as (url, _):
        assert content_of(module_of(url)) == content_of(noise_folder)


def test_two_loader_processes_fetch_each_shard_once(serve, shards):
    with serve() as (url, log):
        data = ShardDataModule(url, image_size=8, batch_size=1, num_workers=2)
        list(data.train_dataloader())
    fetched = sorted(name for name, _ in log if name.endswith(".tar"))
    assert fetched == [file.name for file in sorted(shards.glob("train*.tar"))]


def test_local_shard_of_another_size_is_named(shards):
    (shards / "val-000000.tar").write_bytes(b"short")
    with pytest.raises(StorageError, match=r"val-000000.tar: expected \d+ bytes, found 5\."):
        module_of(shards).find_classes()


def test_missing_local_shard_is_named(shards):
    (shards / "train-000001.tar").unlink()
    with pytest.raises(StorageError, match=r"train-000001.tar: expected \d+ bytes, found no file"):
        module_of(shards).find_classes()


def test_error_about_a_missing_index_names_the_command_that_writes_it(tmp_path):
    with pytest.raises(StorageError, match=r"There is no .*index.json: name the folder or URL"):
        module_of(tmp_path).find_classes()


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"version": 2}', b"\xff"])
def test_other_files_are_not_an_index(text):
    with pytest.raises(ValueError, match=r"it.json is not an index of shards \(.*\); create"):
        parse_index(text, "it.json")


@pytest.mark.parametrize(
    ("name", "digest"), [("../x.tar", "0" * 64), ("x.tar", "../x"), ("/x", "0" * 64)]
)
def test_index_cannot_lead_out_of_its_folder(name, digest):
    with pytest.raises(ValueError, match="is not a shard file"):
        StoredFile(name, 1, digest)


def test_reader_can_be_pickled(shards):
    source = module_of(shards).sources["train"]
    copy = pickle.loads(pickle.dumps(source))
    assert np.array_equal(copy.read(3), source.read(3))


def test_several_threads_read_the_same_images(serve):
    with serve() as (url, _):
        data = module_of(url)
        source = data.sources["train"]
        images = cached(source, "ram")
        assert all(np.array_equal(images.read(i), source.read(i)) for i in range(len(source)))


def test_fingerprint_depends_on_the_content_not_on_the_url(serve, shards):
    local = module_of(shards).sources["train"]
    with serve() as (url, _):
        assert module_of(url).sources["train"].fingerprint() == local.fingerprint()
    assert local.subset(np.arange(5)).fingerprint() != local.fingerprint()


def test_block_of_an_image_is_its_shard(shards):
    source = module_of(shards).sources["train"]
    blocks = source.subset(np.arange(10)).blocks()
    names = [source.names[i] for i in range(10)]
    for name, block in zip(names, blocks, strict=True):
        assert f'"{name}"'.encode() in (shards / f"train-{block:06d}.tar").read_bytes()


def test_at_most_eight_shards_are_open(shards):
    content_of(module_of(shards))
    assert shards_module._opened.cache_info().currsize <= 8
