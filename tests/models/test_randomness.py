import torch

from models.randomness import AT_ONCE, reseed, reseed_step


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


def test_steps_have_the_seeds_of_their_places(make_trainer, monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "5")
    trainer = make_trainer()
    for batch in (AT_ONCE - 1, AT_ONCE, 0, 3 * AT_ONCE + 7):
        reseed_step(trainer, batch)
        assert torch.rand(4).equal(draw(5, 0, batch, 0))
