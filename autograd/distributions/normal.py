"""The normal distribution."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from autograd.distributions import constraints
from autograd.distributions.distribution import Distribution, broadcast_all
from autograd.random import randn
from autograd.tensors.tensor import Tensor


class Normal(Distribution):
    """The normal distribution with mean `loc` and standard deviation `scale`."""

    has_rsample = True
    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012
    support = constraints.real

    def __init__(
        self, loc: Tensor | float, scale: Tensor | float, validate_args: bool | None = None
    ) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """`loc`."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """`loc`."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """`scale`."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """`scale` squared."""
        return self.scale.square()

    def rsample(self, sample_shape: Iterable[int] = (), *, generator: Any = None) -> Tensor:
        """`loc + noise * scale`, with standard normal noise."""
        shape = self._extended_shape(sample_shape)
        noise = randn(shape, dtype=self.loc.dtype, device=self.loc.device, generator=generator)
        return self.loc + noise * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density."""
        if self._validate_args:
            self._validate_sample(value)
        distance = (value - self.loc) / self.scale
        return -0.5 * distance.square() - self.scale.log() - 0.5 * math.log(2 * math.pi)

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a value not above this one."""
        if self._validate_args:
            self._validate_sample(value)
        return 0.5 * (1 + ((value - self.loc) / self.scale * math.sqrt(0.5)).erf())

    def entropy(self) -> Tensor:
        """`log(scale * sqrt(2 * pi * e))`."""
        return self.scale.log() + 0.5 * (1 + math.log(2 * math.pi))

    def expand(self, batch_shape: Iterable[int]) -> Normal:
        """The same distribution with another batch shape."""
        result = self._blank(batch_shape, ())
        result.loc = self.loc.expand(result.batch_shape)
        result.scale = self.scale.expand(result.batch_shape)
        return result
