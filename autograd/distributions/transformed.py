"""Distributions of transformed values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from autograd.distributions.constraints import Constraint, IndependentConstraint
from autograd.distributions.distribution import Distribution, sum_rightmost
from autograd.distributions.independent import Independent
from autograd.distributions.transforms import Transform
from autograd.engine.grad_mode import no_grad
from autograd.tensors.tensor import Tensor


class TransformedDistribution(Distribution):
    """The distribution of `transforms[-1](...transforms[0](x))` for x from the base."""

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | Sequence[Transform],
        validate_args: bool | None = None,
    ) -> None:
        if isinstance(transforms, Transform):
            transforms = [transforms]
        if not isinstance(transforms, list):
            raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
        if not all(isinstance(t, Transform) for t in transforms):
            raise ValueError("transforms must be a Transform or a list of Transforms")
        self.transforms = transforms
        shape = (*base_distribution.batch_shape, *base_distribution.event_shape)
        for transform in self.transforms:
            shape = transform.forward_shape(shape)
        own_event_dim = len(base_distribution.event_shape)
        base = base_distribution.expand(shape[: len(shape) - own_event_dim])
        event_dim = max([own_event_dim, *(t.event_dim for t in self.transforms)])
        if event_dim > own_event_dim:
            base = Independent(base, event_dim - own_event_dim)
        self.base_dist = base
        kept = len(shape) - event_dim
        super().__init__(shape[:kept], shape[kept:], validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """As in the base distribution."""
        return self.base_dist.has_rsample

    @property
    def support(self) -> Constraint:
        """The range of the last transform."""
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        more = len(self.event_shape) - support.event_dim
        return IndependentConstraint(support, more) if more > 0 else support

    def sample(self, sample_shape: Iterable[int] = (), *, generator: Any = None) -> Tensor:
        """Values, outside the graph."""
        with no_grad():
            return self._forward(self.base_dist.sample(sample_shape, generator=generator))

    def rsample(self, sample_shape: Iterable[int] = (), *, generator: Any = None) -> Tensor:
        """Values as a differentiable function of the parameters and of noise."""
        return self._forward(self.base_dist.rsample(sample_shape, generator=generator))

    def _forward(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        """The base's log-probability, minus the log-Jacobians of the transforms."""
        if self._validate_args:
            self._validate_sample(value)
        event_dim = len(self.event_shape)
        stretch: Any = 0.0
        y = value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            jacobian = transform.log_abs_det_jacobian(x, y)
            stretch = stretch + sum_rightmost(jacobian, event_dim - transform.event_dim)
            y = x
        base_event_dim = len(self.base_dist.event_shape)
        base = sum_rightmost(self.base_dist.log_prob(y), event_dim - base_event_dim)
        return base - stretch

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a value not above this one."""
        sign: Any = 1
        for transform in reversed(self.transforms):
            value = transform.inv(value)
            sign = sign * transform.sign
        below = self.base_dist.cdf(value)
        # If the transforms reverse the order, it is the probability of the other side.
        return below if isinstance(sign, int) and sign == 1 else sign * (below - 0.5) + 0.5

    def expand(self, batch_shape: Iterable[int]) -> TransformedDistribution:
        """The same distribution with another batch shape."""
        result = self._blank(batch_shape, self.event_shape)
        shape = (*result.batch_shape, *result.event_shape)
        kept = len(shape) - len(self.base_dist.event_shape)
        result.base_dist = self.base_dist.expand(shape[:kept])
        result.transforms = self.transforms
        return result
