import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from models.evaluation.unknowns import (
    NEIGHBOURS,
    auroc,
    energy,
    fit_neighbours,
    largest_logit,
    leave_one_out,
)


def clusters(num_images, seed, centre=0):
    """Features of images in three groups, which point into other directions for other centres."""
    generator = torch.Generator().manual_seed(seed)
    centres = 3 * torch.eye(12)[3 * centre : 3 * centre + 3]
    groups = torch.randint(3, (num_images,), generator=generator)
    return centres[groups] + 0.3 * torch.randn(num_images, 12, generator=generator)


@pytest.mark.parametrize("decimals", [0, 3])  # with ties, and without
def test_auroc_is_that_of_scikit_learn(decimals):
    known = torch.randn(70, generator=torch.Generator().manual_seed(0)).round(decimals=decimals) + 1
    unknown = torch.randn(90, generator=torch.Generator().manual_seed(1)).round(decimals=decimals)
    truth = np.r_[np.ones(70), np.zeros(90)]
    expected = roc_auc_score(truth, np.r_[known.numpy(), unknown.numpy()])
    assert auroc(known, unknown) == pytest.approx(expected)


def test_similarity_is_the_cosine_of_the_neighbour_that_scikit_learn_finds():
    fitted, images = fit_neighbours(clusters(80, 0)), clusters(30, 1)
    reference = NearestNeighbors(n_neighbors=NEIGHBOURS, metric="cosine").fit(fitted.bank.numpy())
    expected = 1 - reference.kneighbors(images.numpy())[0][:, -1]
    np.testing.assert_allclose(fitted.similarity(images).numpy(), expected, atol=1e-5)


def test_similarity_in_a_bfloat16_fit_is_as_precise_as_the_threshold():
    features = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    neighbours = fit_neighbours(features)
    expected = neighbours.similarity(features)
    with torch.autocast("cpu", torch.bfloat16):
        assert neighbours.similarity(features).equal(expected)
        assert fit_neighbours(features).threshold == neighbours.threshold


def test_an_image_is_not_its_own_neighbour():
    features = torch.cat([torch.eye(2).repeat(10, 1), torch.tensor([[1.0, 1.0]])])
    assert leave_one_out(features)[-1] == pytest.approx(0.5**0.5)
    assert leave_one_out(torch.eye(3)).tolist() == [0, 0, 0]


def test_a_twentieth_of_the_images_of_the_dataset_is_refused_and_others_are():
    fitted = fit_neighbours(clusters(400, 2))
    refused = (fitted.similarity(clusters(4000, 3)) < fitted.threshold).float().mean()
    assert 0.03 <= refused <= 0.075
    assert (fitted.similarity(clusters(100, 4, centre=1)) < fitted.threshold).all()


def test_fewer_than_twenty_images_give_no_threshold_and_many_are_thinned():
    assert fit_neighbours(clusters(19, 0)) is None
    assert len(fit_neighbours(clusters(1100, 0)).bank) == 367


def test_scores_of_logits_are_their_formulas():
    logits = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    expected = [np.log(np.exp([1, 2, 3]).sum()), np.log(3)]
    np.testing.assert_allclose(energy(logits).numpy(), expected)
    assert largest_logit(logits).tolist() == [3, 0]
