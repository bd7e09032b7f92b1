import pytest
import torch

from callbacks.step_record import _largest


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_largest_absolute_value_of_each_tensor_is_its_infinity_norm(dtype):
    generator = torch.Generator().manual_seed(0)
    tensors = [torch.randn(size, generator=generator).to(dtype) for size in (1, 7, 1000)]
    expected = [tensor.float().norm(float("inf")) for tensor in tensors]
    torch.testing.assert_close(_largest(tensors), torch.stack(expected), rtol=0, atol=0)


def test_largest_absolute_value_is_not_finite_where_an_element_is_not():
    wrong = [torch.tensor([1.0, value]) for value in (torch.nan, torch.inf, -torch.inf)]
    found = _largest([*wrong, torch.tensor([-3.0, 2.0]), torch.zeros(0), None])
    assert found[0].isnan()
    assert found[1:].tolist() == [torch.inf, torch.inf, 3.0]


def test_tensors_of_several_precisions_are_compared_in_float32():
    found = _largest([torch.tensor([-2.0]), torch.tensor([4.0], dtype=torch.float16)])
    assert found.dtype == torch.float32
    assert found.tolist() == [2.0, 4.0]
