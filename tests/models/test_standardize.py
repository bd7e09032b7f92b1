import torch

from models.standardize import Standardize


def test_features_have_mean_zero_and_variance_one():
    features = 400 + 13 * torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    standardize = Standardize()
    standardize.measure(features)
    scaled = standardize(features)
    torch.testing.assert_close(scaled.mean(dim=0), torch.zeros(5), rtol=0, atol=1e-4)
    torch.testing.assert_close(scaled.std(dim=0, correction=0), torch.ones(5))


def test_constant_feature_becomes_zero():
    standardize = Standardize()
    standardize.measure(torch.full((10, 1), 3.0))
    assert standardize(torch.full((2, 1), 3.0)).tolist() == [[0], [0]]


def test_nearly_constant_feature_is_divided_by_a_tenth_of_the_typical_deviation():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(400, 3, generator=generator) * torch.tensor([2.0, 2.0, 1e-4])
    standardize = Standardize()
    standardize.measure(features)
    deviations = features.std(dim=0, correction=0)
    typical = deviations.square().mean().sqrt()
    torch.testing.assert_close(standardize.std, torch.cat([deviations[:2], typical[None] / 10]))


def test_nothing_changes_before_it_is_measured():
    features = torch.rand(3, 4)
    assert Standardize()(features).equal(features)


def test_loading_replaces_and_removes_statistics():
    measured, plain = Standardize(), Standardize()
    measured.measure(torch.rand(9, 4))
    plain.load_state_dict(measured.state_dict())
    assert plain.mean.equal(measured.mean)
    plain.load_state_dict(Standardize().state_dict())
    assert plain.mean is None
