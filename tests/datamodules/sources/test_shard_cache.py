import pytest
from filelock import FileLock

from datamodules import ShardDataModule
from datamodules.sources import shard_cache
from datamodules.sources import shards as shards_module
from datamodules.sources.remote import StorageError
from datamodules.sources.shard_cache import fetch_ahead, open_cached
from datamodules.sources.shard_index import stored_file

PLENTY = 10**9


def tar_files(shards):
    return [stored_file(file) for file in sorted(shards.glob("*.tar"))]


def read_all(root):
    """All images of all splits, by their names."""
    sources = ShardDataModule(str(root), image_size=8, num_workers=0).sources.values()
    return {
        source.names[i]: source.read(i).tobytes() for source in sources for i in range(len(source))
    }


def test_server_without_ranges_works(shards, serve_without_ranges, monkeypatch):
    monkeypatch.setattr(shard_cache, "PIECE", 500)
    with serve_without_ranges(shards) as url:
        assert read_all(url) == read_all(shards)


def test_next_run_downloads_only_the_index(serve):
    with serve() as (url, log):
        read_all(url)
        shards_module._opened.cache_clear()
        log.clear()
        read_all(url)
    assert log == [("index.json", None)]


def test_broken_connection_repeats_only_the_current_piece(serve, shards, monkeypatch):
    monkeypatch.setattr(shard_cache, "PIECE", 1000)
    file = tar_files(shards)[0]
    with serve(broken=[2]) as (url, log), open_cached(f"{url}/{file.name}", file, PLENTY) as stream:
        assert stream.read() == (shards / file.name).read_bytes()
    assert [int(asked[6:].split("-")[0]) for _, asked in log][:4] == [0, 1000, 1000, 2000]


def test_cache_keeps_the_most_recently_used_files_within_its_limit(serve, shards):
    files = tar_files(shards)[:5]
    bound = sum(file.num_bytes for file in files[1:4])
    with serve() as (url, _):
        for file in (*files[:3], files[0], *files[3:]):
            open_cached(f"{url}/{file.name}", file, bound).close()
            kept = sorted(shards.parent.glob("mlruns/cache/shards/*.tar"))
            assert sum(path.stat().st_size for path in kept) <= bound
    assert {path.stem for path in kept} == {files[i].sha256 for i in (0, 3, 4)}


def test_shard_that_is_being_read_is_not_deleted(serve, shards):
    first, *others = tar_files(shards)[:3]
    with serve() as (url, _), open_cached(f"{url}/{first.name}", first, PLENTY):
        for file in others:
            with pytest.warns(UserWarning, match=r"shards exceeds --data.cache_gb"):
                open_cached(f"{url}/{file.name}", file, 0).close()
        kept = {path.stem for path in shards.parent.glob("mlruns/cache/shards/*.tar")}
    assert kept == {first.sha256, others[-1].sha256}


def test_unfinished_file_of_a_killed_process_is_deleted(serve, shards):
    file = tar_files(shards)[0]
    left = shards.parent / "mlruns" / "cache" / "shards" / f"{'0' * 64}.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x")
    with serve() as (url, _):
        open_cached(f"{url}/{file.name}", file, PLENTY).close()
    assert not left.exists()


def test_file_that_another_process_fetches_is_not_fetched_ahead(serve, shards):
    file = tar_files(shards)[0]
    lock = shards.parent / "mlruns" / "cache" / "shards" / f"{file.sha256}.lock"
    lock.parent.mkdir(parents=True)
    with serve() as (url, log), FileLock(lock):
        assert fetch_ahead(f"{url}/{file.name}", file, PLENTY) is None
    assert log == []


def test_file_is_fetched_ahead_if_it_fits_beside_those_in_use(serve, shards):
    first, second = tar_files(shards)[:2]
    both = first.num_bytes + second.num_bytes
    with serve() as (url, log), open_cached(f"{url}/{first.name}", first, PLENTY):
        log.clear()
        assert fetch_ahead(f"{url}/{second.name}", second, both - 1) is None
        assert log == []
        with fetch_ahead(f"{url}/{second.name}", second, both) as stream:
            assert stream.read() == (shards / second.name).read_bytes()


def test_shard_that_differs_from_the_index_is_named(serve, shards):
    changed = shards / "train-000002.tar"
    changed.write_bytes(changed.read_bytes().replace(b"train", b"drain"))
    with (
        serve() as (url, _),
        pytest.raises(StorageError, match=r"train-000002.tar differs from"),
    ):
        read_all(url)
    assert not list(shards.parent.glob("mlruns/cache/shards/*.part"))


def test_truncated_shard_on_a_server_is_named(serve, shards):
    cut = shards / "val-000000.tar"
    cut.write_bytes(cut.read_bytes()[:1234])
    with serve() as (url, _), pytest.raises(StorageError, match=r"val-000000.tar .*, got 1234 wi"):
        read_all(url)
