"""The error function of NumPy arrays, which NumPy lacks."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

STEPS = 8  # nodes per unit
END = 6  # beyond this, erf rounds to 1
TERMS = {np.dtype(np.float64): 12, np.dtype(np.float32): 6}


@functools.cache
def _coefficients(dtype: Any) -> list[np.ndarray]:
    """The Taylor coefficients at every node c, from the Hermite polynomials.

    erf^(n+1)(c) = (-1)^n 2/sqrt(pi) exp(-c^2) H_n(c) (Abramowitz and Stegun 1964, 7.1.19).
    """
    nodes = np.arange(STEPS * END + 1) / STEPS
    series = [np.array([math.erf(c) for c in nodes])]
    scale = 2 / math.sqrt(math.pi) * np.exp(-nodes * nodes)
    before, hermite = np.zeros_like(nodes), np.ones_like(nodes)
    for n in range(TERMS[dtype] - 1):
        series.append((-1) ** n * scale * hermite / math.factorial(n + 1))
        before, hermite = hermite, 2 * nodes * hermite - 2 * n * before
    return [coefficient.astype(dtype) for coefficient in series]


def erf(array: np.ndarray) -> np.ndarray:
    """The error function, as a Taylor series about the nearest of 49 nodes: within 3 ulp."""
    if array.dtype not in TERMS:
        return erf(array.astype(np.float32)).astype(array.dtype)
    size = np.minimum(np.abs(array), END)  # NaN stays
    node = np.rint(np.fmin(size, END) * STEPS).astype(np.intp)
    offset = size - (node / STEPS).astype(array.dtype)
    series = _coefficients(array.dtype)
    result = series[-1].take(node)
    for coefficient in series[-2::-1]:
        result = result * offset + coefficient.take(node)
    return np.copysign(result, array)
