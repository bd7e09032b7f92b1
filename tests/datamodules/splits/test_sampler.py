import numpy as np
import pytest

from datamodules.splits.sampler import (
    EvalSampler,
    Position,
    TrainSampler,
    mix,
    sampling_weights,
)


def epoch_of(epoch, num_seen=0, rank=0, world_size=1, seed=0, num_images=10):
    sampler = TrainSampler(num_images, seed, lambda: Position(epoch, num_seen), rank, world_size)
    return list(sampler)


def test_every_image_comes_once_with_its_epoch():
    assert sorted(epoch_of(3)) == [(3, index) for index in range(10)]


def test_order_depends_only_on_seed_and_epoch():
    assert epoch_of(3) == epoch_of(3)
    assert [i for _, i in epoch_of(3)] != [i for _, i in epoch_of(4)]
    assert epoch_of(3) != epoch_of(3, seed=1)


def test_resumed_epoch_continues_after_the_images_seen():
    assert epoch_of(3, num_seen=4) == epoch_of(3)[4:]


def test_processes_get_disjoint_halves():
    first, second = epoch_of(0, rank=0, world_size=2), epoch_of(0, rank=1, world_size=2)
    assert len(first) == len(second) == 5
    assert set(first) | set(second) == set(epoch_of(0))


def test_batches_of_two_processes_make_up_the_batch_of_one():
    both = [epoch_of(0, rank=rank, world_size=2)[:3] for rank in range(2)]
    assert set(both[0] + both[1]) == set(epoch_of(0)[:6])


def test_processes_get_equally_many_images():
    assert [len(epoch_of(0, rank=r, world_size=3)) for r in range(3)] == [3, 3, 3]


@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_evaluation_sees_every_image_in_one_process(world_size):
    parts = [list(EvalSampler(10, rank, world_size)) for rank in range(world_size)]
    assert sorted(index for part in parts for index in part) == list(range(10))


def test_mixed_seeds_do_not_collide_as_sums_do():
    assert len({mix(seed, epoch) for seed in range(20) for epoch in range(20)}) == 400


LABELS = np.repeat([0, 1, 2], [900, 90, 10])


@pytest.mark.parametrize(
    ("power", "shares"), [(0.0, [1 / 3, 1 / 3, 1 / 3]), (0.5, [0.704, 0.222, 0.074])]
)
def test_classes_are_drawn_by_a_power_of_their_share(power, shares):
    weights = sampling_weights(LABELS, power)
    drawn = [
        LABELS[index]
        for epoch in range(10)
        for _, index in TrainSampler(1000, 0, lambda e=epoch: Position(e, 0), weights=weights)
    ]
    assert np.bincount(drawn) / 10_000 == pytest.approx(shares, abs=0.02)


def test_weighted_draws_of_two_processes_make_up_those_of_one():
    weights = sampling_weights(LABELS, 0.0)

    def drawn(rank, world_size):
        sampler = TrainSampler(1000, 0, lambda: Position(3, 0), rank, world_size, weights)
        return [index for _, index in sampler]

    assert [drawn(0, 2), drawn(1, 2)] == [drawn(0, 1)[::2], drawn(0, 1)[1::2]]


def test_few_blocks_are_read_at_a_time_and_no_image_twice():
    blocks = np.repeat(np.arange(40), 25)
    parts = [
        [i for _, i in TrainSampler(1000, 0, lambda: Position(1, 0), rank, 2, blocks=blocks)]
        for rank in range(2)
    ]
    assert sorted(parts[0] + parts[1]) == list(range(1000))
    assert len(set(blocks[parts[0]]) & set(blocks[parts[1]])) <= 8  # a window on the border
    for start in range(0, 500, 100):
        assert len(set(blocks[parts[0][start : start + 100]])) <= 16
    assert sorted(parts[0][:200]) != parts[0][:200]  # and yet shuffled
