"""The table of operations: what a row is, and the samples that many rows share.

A row says how one operation is called, what it should answer, and on which inputs to try it:

    Row(ops.mul, lambda t, x, y: t.mul(x, y), lambda x, y: x * y, PAIRS, whole="int64")

- `op`: the object in `autograd.ops` (or several, where one call runs any of them);
- `function(t, *arguments)`: the call, where `t` is `autograd`, or `torch` in the live comparison;
- `reference(*arguments)`: the same from NumPy arrays, in NumPy or by hand;
- `samples`: tuples of arguments, of which every float64 array becomes a tensor that needs a
  gradient, every other array a tensor that does not, and everything else goes in as it is. They
  must lie where the function is smooth: the gradient is compared with central differences;
- `kinks`: (arguments, gradients) where it is not smooth; the gradient of the sum of the result
  for every float64 array, None for one that needs none;
- `derivative`: False for an operation whose result needs a gradient but has none;
- `whole`: the dtype of the result for int64 inputs, "" where it has no such form.
- `half`: False where torch has no float16 form;
- `in_torch`: False for an operation that torch does not have.

The rows stand in the modules `op_rows_<family>.py` as a list `ROWS`; `test_ops.py` runs them all,
and fails for an operation without a row.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograd.ops.op import Op

Arguments = tuple[Any, ...]


@dataclass(frozen=True)
class Row:
    """One operation, how it is called and what it should answer."""

    op: Op | tuple[Op, ...]
    function: Callable[..., Any]
    reference: Callable[..., Any]
    samples: Sequence[Arguments]
    kinks: Sequence[tuple[Arguments, Sequence[Any]]] = ()
    derivative: bool = True
    whole: str = ""
    half: bool = True
    in_torch: bool = True
    tolerance: float = 1e-12

    @property
    def ops(self) -> tuple[Op, ...]:
        """The operations that it proves."""
        return self.op if isinstance(self.op, tuple) else (self.op,)

    @property
    def differentiable(self) -> bool:
        """Whether its gradients are to be compared."""
        return self.derivative and self.ops[0].differentiable

    @property
    def name(self) -> str:
        """What the tests call it."""
        return "-".join(op.name for op in self.ops)


def all_rows() -> list[Row]:
    """The rows of every family."""
    rows: list[Row] = []
    for path in sorted(Path(__file__).parent.glob("op_rows_*.py")):
        rows += importlib.import_module(f"tests.autograd.{path.stem}").ROWS
    return rows


def numbers(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """Random float64 numbers in a range, all at least 1e-3 apart: without ties."""
    count = int(np.prod(shape))
    generator = np.random.default_rng(seed)
    places = generator.permutation(count) + generator.uniform(0.25, 0.75, count)
    return (low + (high - low) * places / max(count, 1)).reshape(shape)


def away_from(values: np.ndarray, kinks: Sequence[float], distance: float = 0.05) -> np.ndarray:
    """The numbers moved so that none is within `distance` of a kink."""
    for kink in kinks:
        near = np.abs(values - kink) < distance
        values = np.where(near, kink + 2 * distance, values)
    return values


def signed(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers in [-2, 2], none near 0."""
    return away_from(numbers(*shape, seed=seed), [0.0])


def positive(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers in [0.3, 2.3]."""
    return numbers(*shape, low=0.3, high=2.3, seed=seed)


# One input: a matrix, a vector, no dimensions, no elements.
SINGLES = [(signed(2, 3),), (signed(4, seed=1),), (signed(),), (signed(0, 3),)]
POSITIVES = [(positive(2, 3),), (positive(4, seed=1),), (positive(),), (positive(0, 3),)]
# Two inputs: of one shape, broadcast either way, without dimensions, without elements, a number.
PAIRS = [
    (signed(2, 3), signed(2, 3, seed=1)),
    (signed(2, 3), signed(3, seed=2)),
    (signed(1, 3), signed(2, 1, seed=3)),
    (signed(), signed(2, seed=4)),
    (signed(), signed(seed=5)),
    (signed(0, 3), signed(1, 3)),
    (signed(2, 3), 1.5),
    (signed(2, 3), 2),
]
POSITIVE_PAIRS = [
    (positive(2, 3), positive(2, 3, seed=1)),
    (positive(1, 3), positive(2, 1, seed=3)),
    (positive(), positive(2, seed=4)),
    (positive(), positive(seed=5)),
    (positive(0, 3), positive(1, 3)),
    (positive(2, 3), 1.5),
    (positive(2, 3), 2),
    (2.5, positive(2, 3)),
]
