"""`linear`: the affine map of a layer."""

from __future__ import annotations

from typing import Any

from autograd.functional.fused import linear_activation


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """`input @ weight.T + bias`: (..., in) with weight (out, in) and bias (out,) gives (..., out).

    Raises:
        RuntimeError: the sizes or dtypes do not fit.
    """
    return linear_activation(input, weight, bias, None)
