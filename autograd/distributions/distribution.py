"""`Distribution`: shapes, checks of arguments, and the methods of all distributions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from autograd.creation import tensor
from autograd.distributions.constraints import Constraint
from autograd.dtypes import Size
from autograd.engine.grad_mode import no_grad
from autograd.engine.promotion import is_number
from autograd.functional.broadcasting import broadcast_shapes
from autograd.tensors.tensor import Tensor


class Distribution:
    """The base of all distributions.

    A sample has the shape `sample_shape + batch_shape + event_shape`: the number of draws, the
    independent distributions, and the shape of one value.
    """

    has_rsample = False
    has_enumerate_support = False
    arg_constraints: Mapping[str, Constraint] = {}
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Choose whether arguments are checked by default."""
        if value not in (True, False):
            raise ValueError(f"expected True or False, not {value!r}")
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Iterable[int] = (),
        event_shape: Iterable[int] = (),
        validate_args: bool | None = None,
    ) -> None:
        """Raise ValueError for parameters that break their constraints, if they are checked."""
        self._batch_shape = Size(batch_shape)
        self._event_shape = Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if not self._validate_args:
            return
        for name, constraint in self.arg_constraints.items():
            value = self.__dict__.get(name)
            if value is not None and not constraint.check(value)._array.all():
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape "
                    f"{tuple(value.shape)}) of distribution {self!r} to satisfy the constraint "
                    f"{constraint!r}, but found invalid values:\n{value}"
                )

    @property
    def batch_shape(self) -> Size:
        """The shape of the independent distributions."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one value."""
        return self._event_shape

    @property
    def support(self) -> Constraint:
        """The possible values."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """The expected value."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The expected squared distance from the mean."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Iterable[int] = (), *, generator: Any = None) -> Tensor:
        """Draw values outside the graph; `generator` is no argument of torch's."""
        with no_grad():
            return self.rsample(sample_shape, generator=generator)

    def rsample(self, sample_shape: Iterable[int] = (), *, generator: Any = None) -> Tensor:
        """Values as a differentiable function of the parameters and of noise."""
        raise NotImplementedError

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, at a value."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a value not above this one."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The expected value of minus `log_prob`."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """The exponential of the entropy."""
        return self.entropy().exp()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a discrete distribution, along a new first dimension."""
        raise NotImplementedError

    def expand(self, batch_shape: Iterable[int]) -> Distribution:
        """The same distribution with its parameters expanded to another batch shape."""
        raise NotImplementedError

    def _blank(self, batch_shape: Iterable[int], event_shape: Iterable[int]) -> Self:
        """Make a distribution of this class without parameters; the caller sets them, unchecked."""
        result = type(self).__new__(type(self))
        Distribution.__init__(result, batch_shape, event_shape, validate_args=False)
        result._validate_args = self._validate_args
        return result

    def _extended_shape(self, sample_shape: Iterable[int] = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Any) -> None:
        """Raise ValueError for an impossible value."""
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        shape, event = tuple(value.shape), tuple(self._event_shape)
        if shape[len(shape) - len(event) :] != event:
            raise ValueError(
                "The right-most size of value must match event_shape: "
                f"{value.shape} vs {self._event_shape}."
            )
        own = (*self._batch_shape, *event)
        if any(1 not in (i, j) and i != j for i, j in zip(shape[::-1], own[::-1], strict=False)):
            raise ValueError(
                "Value is not broadcastable with batch_shape+event_shape: "
                f"{value.shape} vs {Size(own)}."
            )
        support = self.support
        if not support.check(value)._array.all():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {shape}) to be within "
                f"the support ({support!r}) of the distribution {self!r}, "
                f"but found invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        named = [(name, self.__dict__.get(name)) for name in self.arg_constraints]
        parts = [
            f"{name}: {value if value.numel() == 1 else value.size()}"
            for name, value in named
            if value is not None
        ]
        return f"{type(self).__name__}({', '.join(parts)})"


def broadcast_all(*values: Any) -> list[Tensor]:
    """Broadcast tensors and numbers to one shape; numbers take the dtype of the first tensor."""
    if not all(isinstance(v, Tensor) or is_number(v) for v in values):
        raise ValueError("Input arguments must all be instances of Number or torch.Tensor.")
    first = next((v for v in values if isinstance(v, Tensor)), None)
    if first is None:
        return [tensor(float(v)) for v in values]
    tensors = [
        v if isinstance(v, Tensor) else tensor(v, dtype=first.dtype, device=first.device)
        for v in values
    ]
    shape: tuple[int, ...] = ()
    for value in tensors:
        shape = broadcast_shapes(shape, tuple(value.shape))
    return [v if tuple(v.shape) == shape else v.expand(shape) for v in tensors]


def sum_rightmost(value: Any, count: int) -> Any:
    """The sum over the last `count` dimensions."""
    return value if count == 0 else value.sum(tuple(range(-count, 0)))
