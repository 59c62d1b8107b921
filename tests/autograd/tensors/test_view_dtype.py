"""`Tensor.view(dtype)`: the same memory read as another dtype, as in torch 2.13."""

import pytest

import autograd as torch


def test_the_memory_is_shared_and_has_no_gradient() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    seen = x.view(torch.int32)
    assert not seen.requires_grad and not (x * 2).view(torch.int32).requires_grad
    assert seen.tolist() == [[0x3F800000] * 3] * 2
    with torch.no_grad():
        x[0, 0] = 2.0
    assert seen[0, 0].item() == 0x40000000
    assert x.view(torch.float32).requires_grad


def test_the_last_dimension_changes_with_the_size() -> None:
    rows = torch.arange(24, dtype=torch.uint8).reshape(2, 12)
    assert rows.view(torch.int16).shape == (2, 6)
    assert rows[:, :8].view(torch.float32).shape == (2, 2)  # a part of each row
    assert torch.ones(2, 3).view(torch.uint8).shape == (2, 12)
    assert torch.ones(2, 3).t().view(torch.int32).shape == (3, 2)


@pytest.mark.parametrize(
    ("tensor", "dtype", "message"),
    [
        (torch.zeros(2, 7, dtype=torch.uint8), torch.float32, r"self.size\(-1\) .* by 4 .* got 7"),
        (torch.zeros(2, 6, dtype=torch.uint8)[:, :4], torch.float32, r"stride\(0\) .* got 6"),
        (torch.ones(2, 3).t(), torch.uint8, r"self.stride\(-1\) must be 1 .* got 3"),
        (torch.tensor(1.0), torch.uint8, r"self.dim\(\) cannot be 0 to view Float as Byte"),
    ],
)
def test_what_does_not_fit_is_refused(
    tensor: torch.Tensor, dtype: torch.dtype, message: str
) -> None:
    with pytest.raises(RuntimeError, match=message):
        tensor.view(dtype)
