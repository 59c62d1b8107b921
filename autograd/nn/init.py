"""Initial values, drawn in place: `init.xavier_uniform_(weight, generator=...)`."""

from __future__ import annotations

from typing import Any

from autograd.tensor import Tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """From U(a, b)."""
    import numpy as np

    rng = generator or np.random.default_rng()
    tensor._array[...] = rng.random(tensor.shape, np.float32) * (b - a) + a
    return tensor
