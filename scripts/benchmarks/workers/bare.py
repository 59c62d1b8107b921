"""What tensors cannot be faster than: the NumPy calls alone, without a graph around them."""

from functools import partial

import numpy as np

from .serve import Work
from .tensors import SMALL, SMALL_OPS

NUMPY_NAMES = {"mul": "multiply"}


def small_op(op: str) -> Work:
    """One operation on arrays of 8 elements."""
    arrays = [np.linspace(0.1, 0.9, SMALL, dtype=np.float32) for _ in range(SMALL_OPS[op])]
    return Work(partial(getattr(np, NUMPY_NAMES.get(op, op)), *arrays))


def mlp(batch: int, width: int) -> Work:
    """Products and elementwise passes of `tensors.mlp`, by hand, in memory of its own."""
    rng = np.random.default_rng(0)

    def matrices(number: int, rows: int) -> list[np.ndarray]:
        return [rng.standard_normal((rows, width), np.float32) for _ in range(number)]

    (x,), weights = matrices(1, batch), matrices(3, width)
    biases = [weight[0].copy() for weight in weights]
    outputs, gradients, weight_gradients = (
        matrices(3, batch),
        matrices(3, batch),
        matrices(3, width),
    )
    bias_gradients = [np.empty_like(bias) for bias in biases]
    zeros, ones = np.zeros_like(x), np.ones(batch, np.float32)
    mask = np.empty(x.shape, np.bool_)

    def call() -> None:
        below = x
        for i, output in enumerate(outputs):
            np.matmul(below, weights[i].T, out=output)
            output += biases[i]
            if i < 2:
                np.maximum(output, zeros, out=output)
            below = output
        np.multiply(below, below, out=gradients[2])
        gradients[2].mean()
        np.multiply(below, np.float32(2 / below.size), out=gradients[2])
        for i in (2, 1, 0):
            np.matmul(gradients[i].T, outputs[i - 1] if i else x, out=weight_gradients[i])
            np.matmul(ones, gradients[i], out=bias_gradients[i])
            if i:
                np.matmul(gradients[i], weights[i], out=gradients[i - 1])
                np.greater(outputs[i - 1], 0, out=mask)
                np.multiply(gradients[i - 1], mask, out=gradients[i - 1])

    return Work(call)
