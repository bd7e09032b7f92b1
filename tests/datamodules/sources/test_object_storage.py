"""Shards in object storage, for which moto stands in."""

from urllib.request import Request, urlopen

import boto3
import moto.settings
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from datamodules import ShardDataModule
from datamodules.sources import shards as shards_module
from datamodules.sources.remote import StorageError
from datamodules.sources.shard_fetcher import fetcher
from datamodules.splits.sampler import WINDOW

BUCKET = "images"
ROOT = f"s3://{BUCKET}/shards"


def data_of(root):
    return ShardDataModule(
        str(root), image_size=8, batch_size=8, num_workers=0, augmentation="none"
    )


def pixels_of(root):
    return [images.tolist() for images, _, _ in data_of(root).train_dataloader()]


@pytest.fixture(scope="module")
def server():
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(server, shards, monkeypatch):
    """Client of a bucket with the shards; s3:// is the same service."""
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": server}
    for name, value in {**keys, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    urlopen(Request(f"{server}/moto-api/reset", method="POST")).close()
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    for file in shards.iterdir():
        client.upload_file(str(file), BUCKET, f"shards/{file.name}")
    yield client
    fetcher(WINDOW).want([])
    shards_module._opened.cache_clear()
    S3FileSystem.clear_instance_cache()  # they keep their credentials


def test_images_are_those_of_the_folder(s3, shards):
    assert pixels_of(ROOT) == pixels_of(shards)


@pytest.mark.parametrize("root", [f"s3://{BUCKET}/elsewhere", "s3://no-such-bucket/shards"])
def test_missing_folder_or_bucket_is_named(s3, root):
    with pytest.raises(StorageError, match=rf"There is no {root}/index.json. Name the folder that"):
        data_of(root).find_classes()


def test_unknown_user_is_refused_at_once(s3, monkeypatch, caplog):
    monkeypatch.setattr(moto.settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)
    with pytest.raises(StorageError, match=r"index.json may not be read .*AWS_ACCESS_KEY_ID"):
        data_of(ROOT).find_classes()
    assert "trying again" not in caplog.text


def test_missing_credentials_are_named(s3, tmp_path, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(StorageError, match=r"may not be read \(NoCredentialsError.*or ~/.aws"):
        data_of(ROOT).find_classes()


@pytest.mark.parametrize("change", [lambda tar: tar[:-700], lambda tar: tar.replace(b"a", b"b")])
def test_shard_that_changes_during_a_fit_is_named(s3, shards, change):
    batches = data_of(ROOT).train_dataloader()
    for file in shards.glob("train*.tar"):
        body = change(file.read_bytes())
        s3.put_object(Bucket=BUCKET, Key=f"shards/{file.name}", Body=body)
    with pytest.raises(StorageError, match=rf"{ROOT}/train-\d+.tar differs .*were changed, start"):
        list(batches)
