"""Constraints on parameters and samples: `constraint.check(value)` says which values are valid."""

from __future__ import annotations

from typing import Any

from autograd.backend import backend_of
from autograd.tensors.tensor import Tensor


class Constraint:
    """The base of all constraints; `event_dim` n means that the last n dimensions form a value."""

    is_discrete = False
    event_dim = 0

    def check(self, value: Tensor) -> Tensor:
        """Whether each value is valid, as bool."""
        return value._wrap(self._holds(value._array))

    def _holds(self, array: Any) -> Any:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Real(Constraint):
    """Any number; infinity too, but not NaN."""

    def _holds(self, array: Any) -> Any:
        return array == array


class GreaterThan(Constraint):
    """Above `lower_bound`."""

    def __init__(self, lower_bound: float) -> None:
        self.lower_bound = lower_bound

    def _holds(self, array: Any) -> Any:
        return array > self.lower_bound

    def __repr__(self) -> str:
        return f"GreaterThan(lower_bound={self.lower_bound})"


class Interval(Constraint):
    """From `lower_bound` to `upper_bound`, ends included."""

    def __init__(self, lower_bound: float, upper_bound: float) -> None:
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound

    def _holds(self, array: Any) -> Any:
        return (array >= self.lower_bound) & (array <= self.upper_bound)

    def __repr__(self) -> str:
        bounds = f"lower_bound={self.lower_bound}, upper_bound={self.upper_bound}"
        return f"{type(self).__name__}({bounds})"


class IntegerInterval(Interval):
    """A whole number from `lower_bound` to `upper_bound`, ends included."""

    is_discrete = True

    def _holds(self, array: Any) -> Any:
        return (array % 1 == 0) & super()._holds(array)


class Simplex(Constraint):
    """Numbers along the last dimension that are not negative and sum to 1."""

    event_dim = 1

    def _holds(self, array: Any) -> Any:
        xp = backend_of(array)
        total = xp.add.reduce(array, axis=-1)
        return xp.all(array >= 0, axis=-1) & (xp.abs(total - 1) < 1e-6)


class IndependentConstraint(Constraint):
    """A constraint that must hold for all elements along the last dimensions."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        self.is_discrete = base_constraint.is_discrete
        self.event_dim = base_constraint.event_dim + reinterpreted_batch_ndims

    def _holds(self, array: Any) -> Any:
        each = self.base_constraint._holds(array)
        if each.ndim < self.reinterpreted_batch_ndims:
            raise ValueError(f"Expected value.dim() >= {self.event_dim} but got {array.ndim}")
        axes = tuple(range(each.ndim - self.reinterpreted_batch_ndims, each.ndim))
        return backend_of(array).all(each, axis=axes)

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


real = Real()
positive = GreaterThan(0.0)
simplex = Simplex()
real_vector = IndependentConstraint(real, 1)
