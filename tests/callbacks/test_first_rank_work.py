"""While the first rank works, the other ranks wait for it, outside of any exchange of tensors."""

import multiprocessing
from types import SimpleNamespace

import torch.distributed as dist
from lightning.fabric.plugins.environments.lightning import find_free_network_port

from callbacks.first_rank_work import others_wait


def ranks_that_work(rank, port, done):
    store = dist.TCPStore("127.0.0.1", port, 2, rank == 0)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=2)
    trainer = SimpleNamespace(world_size=2, is_global_zero=rank == 0)
    for number in range(2):
        with others_wait(trainer):
            if rank == 0:
                store.wait([f"other arrives {number}"])
                done.put(f"work {number}")
            else:
                store.set(f"other arrives {number}", "")
        if rank == 1:
            done.put(f"other goes on {number}")
            store.set(f"other went on {number}", "")
        else:
            store.wait([f"other went on {number}"])


def test_others_go_on_after_the_first_rank_has_worked():
    fork = multiprocessing.get_context("fork")
    port, done = find_free_network_port(), fork.SimpleQueue()
    processes = [fork.Process(target=ranks_that_work, args=(r, port, done)) for r in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    assert [done.get() for _ in range(4)] == [
        "work 0",
        "other goes on 0",
        "work 1",
        "other goes on 1",
    ]


def test_one_process_works_at_once():
    with others_wait(SimpleNamespace(world_size=1)):
        pass
