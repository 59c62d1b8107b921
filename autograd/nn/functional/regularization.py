"""`dropout`."""

from __future__ import annotations

from autograd.engine.apply import apply
from autograd.functional.checks import require_tensor
from autograd.generator import Generator
from autograd.ops import random as ops
from autograd.random import draw_kept, drawn_probability
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
    mask = draw_kept(generator, input.device, p, array.shape)
    p = drawn_probability(input.device.type, p)  # so that the mean is exactly kept
    scale = 1 / (1 - p) if p < 1 else 0.0
    if inplace:
        return input.mul_(input._wrap(mask)).mul_(scale)
    return apply(ops.dropout, input, mask=mask, scale=scale)


def check_probability(p: float) -> None:
    """Raise ValueError unless `p` is a probability."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
