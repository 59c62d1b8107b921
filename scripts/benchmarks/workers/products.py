"""The matrix products that a computation takes, recorded from a run of it."""

import math
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np

from autograd.backend import NUMPY

Product = tuple[np.ndarray, np.ndarray, np.ndarray]  # the two factors and room for their product


def recorded_products(run: Callable[[], Any]) -> list[Product]:
    """Return factors of the sizes and memory layouts of all products of two matrices in `run`.

    A product of stacks counts as those of their matrices. Outer products are left out, which need
    no matrix product, and those with a vector of ones, which stand for a sum.
    """
    products: list[Product] = []

    def recording(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(a: np.ndarray, b: np.ndarray, *rest: Any, **settings: Any) -> Any:
            if a.ndim > 1 and b.ndim > 1 and a.shape[-1] > 1:
                stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
                for _ in range(math.prod(stack)):
                    out = np.empty((a.shape[-2], b.shape[-1]), np.result_type(a, b))
                    products.append((_like(a), _like(b), out))
            return function(a, b, *rest, **settings)

        return call

    with (
        patch.object(NUMPY, "matmul", recording(np.matmul)),
        patch.object(NUMPY, "dot", recording(np.dot), create=True),
    ):
        run()
    return products


def _like(array: np.ndarray) -> np.ndarray:
    """Return random numbers in the shape and order of memory of an array's matrices."""
    rows, columns = array.shape[-2:]
    rng = np.random.default_rng(0)
    if array.strides[-2] >= array.strides[-1]:
        return rng.standard_normal((rows, columns)).astype(array.dtype)
    return rng.standard_normal((columns, rows)).astype(array.dtype).T
