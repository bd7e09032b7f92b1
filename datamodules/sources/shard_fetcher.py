"""Fetcher of shards: threads of a process that fill the local cache with what is read next."""

import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import BinaryIO, NamedTuple

from datamodules.sources.remote import StorageError
from datamodules.sources.shard_cache import fetch_ahead
from datamodules.sources.shard_index import StoredFile


class Shard(NamedTuple):
    """A shard at a URL; see `open_cached`."""

    url: str
    file: StoredFile
    max_bytes: int


class ShardFetcher:
    """Fetches shards before they are read, and keeps them open so that they stay in the cache.

    Whoever reads a shard opens it in the cache, and waits there if it is being fetched. So a shard
    that could not be fetched is fetched by its reader, which raises the error. Of several
    processes, each fetches the first shards that no other one is fetching.

    Args:
        num_threads: How many shards are fetched at the same time.
    """

    def __init__(self, num_threads: int) -> None:
        self._changed = threading.Condition()
        self._wanted: Sequence[Shard] = ()
        self._held: dict[Shard, BinaryIO] = {}
        self._tried: set[Shard] = set()  # and not to be tried again before others are wanted
        for _ in range(num_threads):
            # As a daemon: a process that ends does not wait for what it will not read.
            threading.Thread(target=self._work, daemon=True).start()

    def want(self, shards: Sequence[Shard]) -> None:
        """Fetch shards in the background, in this order, and let go of all others."""
        with self._changed:
            for shard in self._held.keys() - set(shards):
                self._held.pop(shard).close()
            self._wanted, self._tried = shards, set()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                while (shard := self._next()) is None:
                    self._changed.wait()
                self._tried.add(shard)
            try:
                stream = fetch_ahead(*shard)
            except (StorageError, OSError):
                stream = None
            with self._changed:
                if stream and (shard not in self._wanted or shard in self._held):
                    stream.close()
                elif stream:
                    self._held[shard] = stream

    def _next(self) -> Shard | None:
        done = self._held.keys() | self._tried
        return next((shard for shard in self._wanted if shard not in done), None)


def fetcher(num_threads: int) -> ShardFetcher:
    """The fetcher of this process.

    Args:
        num_threads: See `ShardFetcher`.
    """
    return _fetcher_of(os.getpid(), num_threads)


@lru_cache(1)
def _fetcher_of(process: int, num_threads: int) -> ShardFetcher:  # threads end where a fork begins
    return ShardFetcher(num_threads)
