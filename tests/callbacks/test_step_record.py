import pytest
import torch

from callbacks.step_record import StepRecord, _norms, nonfinite_state


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_norm_of_each_gradient_is_computed_in_float32_or_better(dtype):
    generator = torch.Generator().manual_seed(0)
    gradients = [100 * torch.randn(size, generator=generator).to(dtype) for size in (1, 7, 10**6)]
    expected = torch.stack([gradient.double().norm() for gradient in gradients]).float()
    torch.testing.assert_close(torch.stack(_norms(gradients)).float(), expected, rtol=1e-4, atol=0)
    assert expected[2] > torch.finfo(torch.float16).max


def test_norm_is_not_finite_where_an_element_is_not():
    wrong = [torch.tensor([1.0, value]) for value in (torch.nan, torch.inf, -torch.inf)]
    found = torch.stack(_norms([*wrong, torch.tensor([-3.0, 4.0]), torch.zeros(0)]))
    assert found[0].isnan()
    assert found[1:].tolist() == [torch.inf, torch.inf, 5.0, 0.0]


def test_gradients_of_several_precisions_have_norms_in_float32():
    found = _norms([torch.tensor([-2.0]), torch.tensor([4.0], dtype=torch.float16)])
    assert {norm.dtype for norm in found} == {torch.float32}
    assert [norm.item() for norm in found] == [2.0, 4.0]


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_first_part_of_the_state_that_is_not_finite_is_named(value):
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).half()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    assert nonfinite_state(module, [optimizer]) is None
    optimizer.state[module[0].bias]["momentum_buffer"] = torch.tensor([0.0, 1.0, value])
    assert nonfinite_state(module, [optimizer]) == "momentum_buffer of 0.bias"
    module[1].running_var[1] = value
    assert nonfinite_state(module, [optimizer]) == "1.running_var"
    module[0].weight.data[2, 1] = value
    assert nonfinite_state(module, [optimizer]) == "0.weight"


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf, 3e38])
def test_step_is_bad_where_a_number_is_not_finite(value):
    finite = value == 3e38
    for place in range(3):  # of two gradients and a loss
        numbers = torch.tensor([1.0, 0.0, -2.0])
        numbers[place] = value
        parameters = [torch.nn.Parameter(torch.zeros(1))] * 2
        steps = [StepRecord(0, 0, [], parameters, numbers, scaled) for scaled in (False, True)]
        assert [bool(step.is_bad()) for step in steps] == [not finite, not finite and place == 2]
