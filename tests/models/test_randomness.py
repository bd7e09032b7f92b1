import torch

from models.randomness import reseed


def draw(*place):
    reseed(torch.device("cpu"), *place)
    return torch.rand(4)


def test_same_place_gives_the_same_numbers():
    first = draw(0, 3, 7, 0)
    torch.rand(100)
    assert first.equal(draw(0, 3, 7, 0))


def test_every_number_of_the_place_counts_not_only_their_sum():
    draws = [draw(0, 1, 2), draw(0, 2, 1), draw(1, 1, 1), draw(0, 0, 3)]
    assert not any(draws[a].equal(draws[b]) for a in range(4) for b in range(a))
