import pytest
import torch

from models.evaluation.label_errors import confident_joint, suspicion

# Class 0 has the mean probability .6 on its own images, class 1 has .7.
PROBABILITIES = torch.tensor(
    [
        [0.9, 0.1],
        [0.9, 0.1],
        [0.7, 0.3],
        [0.3, 0.7],  # filed under 0, and as surely 1 as the images of 1 are
        [0.2, 0.8],  # filed under 0, and more surely so
        [0.1, 0.9],
        [0.2, 0.8],
        [0.3, 0.7],
        [0.3, 0.7],
        [0.6, 0.4],  # filed under 1, and as surely 0 as the images of 0 are
    ],
    dtype=torch.float64,
)
LABELS = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])


def test_joint_counts_images_that_reach_the_mean_of_another_class():
    assert confident_joint(PROBABILITIES, LABELS).tolist() == [[3, 2], [1, 4]]


def test_images_off_the_diagonal_are_suspects_and_ranked_by_their_own_label():
    found = suspicion(PROBABILITIES, LABELS)
    assert found.confident.nonzero().flatten().tolist() == [3, 4, 9]
    assert found.order()[:3].tolist() == [4, 3, 9]
    assert found.given[[4, 3, 9]].tolist() == [0.2, 0.3, 0.4]
    assert found.probability[[4, 3, 9]].tolist() == [0.8, 0.7, 0.6]


def test_suggestion_is_never_the_given_class():
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.rand(200, 5, generator=generator).softmax(dim=1)
    labels = torch.randint(5, (200,), generator=generator)
    assert (suspicion(probabilities, labels).suggested != labels).all()


def test_image_below_every_threshold_is_not_counted():
    probabilities = torch.cat([PROBABILITIES, torch.tensor([[0.5, 0.5]]).double()])
    labels = torch.cat([LABELS, torch.tensor([0])])
    # Its own class now has the mean 3.5 / 6, which it does not reach either.
    assert confident_joint(probabilities, labels).sum() == 10
    assert not suspicion(probabilities, labels).confident[10]


def test_class_of_few_images_neither_suspects_nor_is_suspected():
    probabilities = torch.zeros(14, 3, dtype=torch.float64)
    probabilities[:, 0] = 1.0
    labels = torch.tensor([0] * 8 + [1] * 4 + [2] * 2)
    assert not suspicion(probabilities, labels).confident.any()
    labels = torch.tensor([0] * 8 + [1] * 5 + [2])
    assert suspicion(probabilities, labels).confident.tolist() == [False] * 8 + [True] * 5 + [False]


def test_joint_is_that_of_cleanlab():
    count = pytest.importorskip("cleanlab.count")
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(500, 6, generator=generator, dtype=torch.float64)
    labels = torch.randint(6, (500,), generator=generator)
    logits[torch.arange(500), labels] += 1.5
    probabilities = logits.softmax(dim=1)
    peer, rows = count.compute_confident_joint(
        labels.numpy(), probabilities.numpy(), calibrate=False, return_indices_of_off_diagonals=True
    )
    assert confident_joint(probabilities, labels).tolist() == peer.tolist()
    confident = suspicion(probabilities, labels).confident.nonzero().flatten()
    assert confident.tolist() == sorted(rows)
