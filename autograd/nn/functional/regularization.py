"""`dropout`."""

from __future__ import annotations

import numpy as np

from autograd.backend import Array
from autograd.engine.grad_mode import state
from autograd.functional.checks import require_tensor
from autograd.generator import Generator
from autograd.random import draw
from autograd.tensors.tensor import Tensor


def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Zero each element with probability `p` and scale the others by 1 / (1 - p); only in training.

    `generator`, which torch does not take, draws which elements.
    """
    require_tensor("dropout", input)
    check_probability(p)
    if not training or p == 0:
        return input
    array = input._array
    if array.dtype.kind != "f":
        raise RuntimeError("result type Float can't be cast to the desired output type Long")
    uniform = draw(generator, input.device, "random", array.shape, np.float32)
    noise = input._wrap(state.run_silently(_kept_and_scaled, uniform, p, array.dtype.type))
    return input.mul_(noise) if inplace else input * noise


def _kept_and_scaled(uniform: Array, p: float, kind: type) -> Array:
    return (uniform >= p) * kind(1 / (1 - p) if p < 1 else 0)


def check_probability(p: float) -> None:
    """Raise ValueError unless `p` is a probability."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
