import torch

from models.evaluation.label_errors import confident_joint, find_label_errors

# Class 0 has the mean probability .6 on its own images, class 1 has .7.
PROBABILITIES = torch.tensor(
    [
        [0.9, 0.1],
        [0.9, 0.1],
        [0.7, 0.3],
        [0.3, 0.7],  # labelled 0, with the mean probability of class 1
        [0.2, 0.8],  # labelled 0, with more than that
        [0.1, 0.9],
        [0.2, 0.8],
        [0.3, 0.7],
        [0.3, 0.7],
        [0.6, 0.4],  # labelled 1, with the mean probability of class 0
    ],
    dtype=torch.float64,
)
LABELS = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])


def test_joint_counts_images_that_reach_the_mean_of_another_class():
    assert confident_joint(PROBABILITIES, LABELS).tolist() == [[3, 2], [1, 4]]


def test_likely_errors_lie_off_the_diagonal_and_are_ranked_by_the_probability_of_their_label():
    found = find_label_errors(PROBABILITIES, LABELS)
    assert found.likely.nonzero().flatten().tolist() == [3, 4, 9]
    assert found.order()[:3].tolist() == [4, 3, 9]
    assert found.label_probability[[4, 3, 9]].tolist() == [0.2, 0.3, 0.4]
    assert found.suggested_probability[[4, 3, 9]].tolist() == [0.8, 0.7, 0.6]


def test_suggestion_is_never_the_label():
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.rand(200, 5, generator=generator).softmax(dim=1)
    labels = torch.randint(5, (200,), generator=generator)
    assert (find_label_errors(probabilities, labels).suggested != labels).all()


def test_image_that_reaches_no_mean_is_not_counted():
    probabilities = torch.cat([PROBABILITIES, torch.tensor([[0.5, 0.5]]).double()])
    labels = torch.cat([LABELS, torch.tensor([0])])
    # Its own class now has the mean 3.5 / 6, which it does not reach either.
    assert confident_joint(probabilities, labels).sum() == 10
    assert not find_label_errors(probabilities, labels).likely[10]


def test_class_of_few_images_has_no_likely_errors_and_is_not_suggested():
    probabilities = torch.zeros(14, 3, dtype=torch.float64)
    probabilities[:, 0] = 1.0
    labels = torch.tensor([0] * 8 + [1] * 4 + [2] * 2)
    assert not find_label_errors(probabilities, labels).likely.any()
    labels = torch.tensor([0] * 8 + [1] * 5 + [2])
    assert find_label_errors(probabilities, labels).likely.tolist() == [False] * 8 + [True] * 5 + [
        False
    ]


def test_joint_follows_the_definition_of_the_paper():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(500, 6, generator=generator, dtype=torch.float64)
    labels = torch.randint(6, (500,), generator=generator)
    logits[torch.arange(500), labels] += 1.5
    probabilities = logits.softmax(dim=1)
    means = [probabilities[labels == k, k].mean() for k in range(6)]
    expected = [[0] * 6 for _ in range(6)]
    for row, label in zip(probabilities, labels.tolist(), strict=True):
        if reached := [k for k in range(6) if row[k] >= means[k]]:
            expected[label][max(reached, key=lambda k: row[k])] += 1
    assert confident_joint(probabilities, labels).tolist() == expected
    errors = sum(count for k, row in enumerate(expected) for j, count in enumerate(row) if j != k)
    assert find_label_errors(probabilities, labels).likely.sum() == errors > 50
