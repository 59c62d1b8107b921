"""Evenly spaced numbers: `arange`, `linspace`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from autograd.creation import FLOAT32, INT64, made, number
from autograd.errors import not_implemented
from autograd.functional.checks import integer, type_text
from autograd.functional.keywords import Options, settings_of
from autograd.tensors.tensor import Tensor

if TYPE_CHECKING:
    from autograd.types import Operand


def arange(
    start: Operand | None = None,
    end: Operand | None = None,
    step: Operand = 1,
    **options: Unpack[Options],
) -> Tensor:
    """`start`, `start + step`, ... before `end`; int64 if all three are whole numbers."""
    if end is None:
        first, last = 0, number("arange", start, "end", 1)
    else:
        first, last = number("arange", 0 if start is None else start, "start", 1), end
        last = number("arange", end, "end", 2)
    by = number("arange", step, "step", 3)
    whole = all(isinstance(v, int) for v in (first, last, by))
    default = INT64 if whole else FLOAT32
    wanted, device, requires_grad = settings_of("arange", default, **options)
    count = _count(first, last, by, wanted)
    _refuse_bool("arange_cpu", wanted)
    kind: Any = np.float64 if wanted.kind == "f" else np.int64
    array = kind(first) + np.arange(count, dtype=kind) * kind(by)
    return made(array.astype(wanted), device, requires_grad)


def _count(first: Any, last: Any, by: Any, dtype: np.dtype) -> int:
    """The number of steps from `first` to before `last`."""
    if by == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(first) and math.isfinite(last)):
        raise RuntimeError(f"unsupported range: {first} -> {last}")
    if (last - first) * by < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if dtype == INT64:
        first, last, by = int(first), int(last), int(by)
        if by == 0:
            raise ValueError("step must be nonzero")
        return len(range(first, last, by))
    return math.ceil((last - first) / by)


def linspace(start: Operand, end: Operand, steps: int, **options: Unpack[Options]) -> Tensor:
    """`steps` evenly spaced numbers from `start` to `end`, both included."""
    ends = (("start", start), ("end", end))
    given = {name: v.ndim for name, v in ends if isinstance(v, Tensor)}
    if any(given.values()):
        shown = " and ".join(f"{name} with {n} dimension(s)" for name, n in given.items())
        raise RuntimeError(
            f"linspace only supports 0-dimensional start and end tensors, but got {shown}."
        )
    if type(steps) is not int:
        steps = _whole_steps(start, end, steps)
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    wanted, device, requires_grad = settings_of("linspace", FLOAT32, **options)
    _refuse_bool("linspace_cpu", wanted)
    kind: Any = wanted.type if wanted.kind == "f" else np.float64
    first, last = (kind(wanted.type(number("linspace", v, name, 1))) for name, v in ends)
    # Computed from both ends towards the middle, so that both ends are exact.
    places = np.arange(steps, dtype=kind)
    distance = kind((last - first) / max(steps - 1, 1))
    array = np.where(
        np.arange(steps) < max(steps // 2, steps == 1),
        first + distance * places,
        last - distance * (steps - 1 - places),
    )
    return made(array.astype(wanted), device, requires_grad)


def _whole_steps(*arguments: Any) -> int:
    """Return the last argument, a whole number; or raise torch's error, which lists all types."""
    try:
        return integer("linspace", arguments[-1], "steps", 3)
    except TypeError as error:
        kinds = ", ".join("Tensor" if isinstance(a, Tensor) else type_text(a) for a in arguments)
        raise TypeError(
            f"linspace() received an invalid combination of arguments - got ({kinds}), "
            "but expected (start, end, int steps)"
        ) from error


def _refuse_bool(kernel: str, dtype: np.dtype) -> None:
    if dtype.kind == "b":
        raise not_implemented(kernel)
