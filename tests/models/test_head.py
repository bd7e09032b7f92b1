from typing import get_args

import pytest
import torch
from torch import nn

from models import Head
from models.head import ACTIVATIONS, Activation


def kinds(head):
    return [type(layer).__name__ for layer in head.layers]


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_plain_head_is_one_linear_layer():
    assert kinds(Head(8, 3)) == ["Dropout", "Linear"]
    assert count(Head(8, 3)) == 8 * 3 + 3


def test_hidden_layers_come_before_the_logits():
    head = Head(8, 3, hidden=(16, 5))
    sizes = [layer.out_features for layer in head.layers if isinstance(layer, nn.Linear)]
    assert sizes == [16, 5, 3]
    assert head(torch.rand(2, 8)).shape == (2, 3)


def test_dropout_comes_before_a_linear_layer_norm_and_activation_after_it():
    head = Head(8, 3, hidden=(4,), activation="gelu", norm="layer", dropout=0.5)
    assert kinds(head) == ["Dropout", "Linear", "LayerNorm", "GELU", "Dropout", "Linear"]


def test_head_of_the_published_resnet152_is_built_exactly():
    """Linear to 1024, batch norm, PReLU, dropout .25, linear to 50."""
    head = Head(2048, 50, (1024,), activation="prelu", norm="batch", dropout=(0, 0.25))
    assert kinds(head) == ["Dropout", "Linear", "BatchNorm1d", "PReLU", "Dropout", "Linear"]
    assert [layer.p for layer in head.layers if isinstance(layer, nn.Dropout)] == [0, 0.25]
    assert len(list(head.parameters())) == 7
    assert count(head) == 2_151_475


def test_head_of_the_published_face_network_is_built_exactly():
    """Linear to 128, batch norm, ReLU, linear to 7, batch norm."""
    head = Head(9216, 7, hidden=(128,), norm="batch", norm_logits=True)
    assert kinds(head)[1:4] == ["Linear", "BatchNorm1d", "ReLU"]
    assert kinds(head)[5:] == ["Linear", "BatchNorm1d"]
    assert count(head) == 9216 * 128 + 128 + 2 * 128 + 128 * 7 + 7 + 2 * 7


def test_normalised_logits_have_mean_zero_in_training():
    logits = Head(8, 3, norm="batch", norm_logits=True)(torch.rand(32, 8))
    torch.testing.assert_close(logits.mean(dim=0), torch.zeros(3), rtol=0, atol=1e-5)


def test_every_activation_of_the_command_line_is_known():
    assert get_args(Activation) == tuple(ACTIVATIONS)
    assert Head(8, 3, hidden=(4,), activation="tanh").layers[2](torch.tensor(9.0)) < 1


def test_activation_may_be_a_class():
    assert kinds(Head(8, 3, hidden=(4,), activation=nn.Hardswish))[2] == "Hardswish"


def test_unknown_activation_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"to be relu, leaky_relu, prelu.* a class, got 'swish'"):
        Head(8, 3, hidden=(4,), activation="swish")


def test_unknown_norm_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="norm to be batch, layer, none, got 'group'"):
        Head(8, 3, hidden=(4,), norm="group")


def test_logits_are_normalised_only_with_a_norm():
    with pytest.raises(ValueError, match="`batch` or `layer` with norm_logits, got `none`"):
        Head(8, 3, norm_logits=True)


def test_one_dropout_per_linear_layer_is_expected():
    with pytest.raises(ValueError, match=r"dropout to be one number or a list of 2, .*got 3"):
        Head(8, 3, hidden=(4,), dropout=(0.1, 0.2, 0.3))


@pytest.mark.parametrize("dropout", [1, -0.1, (0, 1.5)])
def test_dropout_out_of_range_is_refused(dropout):
    with pytest.raises(ValueError, match=r"Expected dropout in \[0, 1\), got (1|-0\.1|1\.5)\."):
        Head(8, 3, hidden=(4,), dropout=dropout)


def test_hidden_layer_without_units_is_refused():
    with pytest.raises(ValueError, match="hidden layers of size 1 or more, got 0"):
        Head(8, 3, hidden=(0,))


def test_norm_without_effect_is_refused():
    with pytest.raises(ValueError, match=r"norm: batch has no effect without hidden layers"):
        Head(8, 3, norm="batch")


def test_only_a_linear_classifier_can_be_fitted():
    with pytest.raises(ValueError, match=r"start: fitted needs a linear classifier, without hid"):
        Head(8, 3, hidden=(4,), start="fitted")


def test_start_depends_on_weights_and_hidden_layers():
    linear, hidden, fixed = Head(8, 3), Head(8, 3, hidden=(4,)), Head(8, 3, start="random")
    assert [head.start_for(pretrained=True) for head in (linear, hidden, fixed)] == [
        "fitted",
        "standardized",
        "random",
    ]
    assert linear.start_for(pretrained=False) == "random"


def test_head_without_statistics_has_the_tensors_of_earlier_versions():
    assert list(Head(8, 3).state_dict()) == ["layers.1.weight", "layers.1.bias"]


def test_statistics_are_loaded_with_the_weights():
    fitted, other = Head(8, 2), Head(8, 2)
    features = 100 + 9 * torch.randn(30, 8, generator=torch.Generator().manual_seed(0))
    fitted.fit(features, (features[:, 0] > 100).long())
    other.load_state_dict(fitted.state_dict())
    assert other(features).equal(fitted(features))


def test_fitted_head_classifies_large_features_from_the_start():
    features = 100 + 9 * torch.randn(60, 8, generator=torch.Generator().manual_seed(0))
    labels = (features[:, 0] > 100).long()
    head = Head(8, 2)
    assert head.fit(features, labels) > 0.9
    assert (head(features).argmax(dim=1) == labels).float().mean() > 0.95
