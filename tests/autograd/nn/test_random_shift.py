"""Random shifts of images; `op_rows_fused.py` compares them with padding and cropping."""

import numpy as np
import pytest

import autograd as torch
from autograd.engine.capture import Captured
from autograd.functional.fused import random_shift


def test_keeps_dtype_and_layout():
    stored = torch.from_numpy(np.arange(2 * 5 * 4 * 3, dtype=np.uint8).reshape(2, 5, 4, 3))
    shifted = random_shift(stored.permute(0, 3, 1, 2), torch.tensor([[1, 1], [1, 1]]), 1)
    assert shifted.dtype == torch.uint8
    assert shifted.permute(0, 2, 3, 1).is_contiguous()
    np.testing.assert_array_equal(shifted.permute(0, 2, 3, 1).numpy(), stored.numpy())


@pytest.mark.parametrize(
    ("shape", "offsets", "padding", "error", "message"),
    [
        ((2, 3, 4), [[0, 0]] * 2, 1, RuntimeError, "expected images .batch, channels"),
        ((2, 1, 4, 4), [[0, 0]], 1, RuntimeError, "integer offsets .batch, 2."),
        ((2, 1, 4, 4), [[0.0, 0.0]] * 2, 1, RuntimeError, "integer offsets .batch, 2."),
        ((2, 1, 4, 4), [[0, 0]] * 2, 4, RuntimeError, "expected a padding from 0"),
        ((2, 1, 4, 4), [[0, 3], [0, 0]], 1, IndexError, "out of bounds"),
        ((2, 1, 4, 4), [[0, -1], [0, 0]], 1, IndexError, "out of bounds"),
    ],
)
def test_refuses_what_does_not_fit(shape, offsets, padding, error, message):
    with pytest.raises(error, match=message):
        random_shift(torch.zeros(*shape), torch.tensor(offsets), padding)


def test_repeats_in_a_captured_program():
    captured = Captured(lambda x, offsets: random_shift(x, offsets, 1) * 2.0, [])
    rng = np.random.default_rng(0)
    x = offsets = torch.tensor([])
    for _ in range(4):
        x = torch.from_numpy(rng.random((3, 2, 5, 5), dtype=np.float32))
        offsets = torch.from_numpy(rng.integers(0, 3, (3, 2)))
        np.testing.assert_array_equal(
            captured(x, offsets).numpy(), 2 * random_shift(x, offsets, 1).numpy()
        )
    with pytest.raises(IndexError, match="out of bounds"):
        captured(x, offsets + 3)
