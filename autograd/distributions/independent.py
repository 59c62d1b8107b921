"""Several independent distributions as one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd.distributions.constraints import Constraint, IndependentConstraint
from autograd.distributions.distribution import Distribution, sum_rightmost
from autograd.tensors.tensor import Tensor


class Independent(Distribution):
    """A distribution whose last batch dimensions become dimensions of one value.

    A diagonal normal distribution of vectors is `Independent(Normal(loc, scale), 1)`.
    """

    def __init__(
        self,
        base_distribution: Distribution,
        reinterpreted_batch_ndims: int,
        validate_args: bool | None = None,
    ) -> None:
        batch, event = base_distribution.batch_shape, base_distribution.event_shape
        if reinterpreted_batch_ndims > len(batch):
            raise ValueError(
                "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), "
                f"actual {reinterpreted_batch_ndims} vs {len(batch)}"
            )
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        kept = len(batch) - reinterpreted_batch_ndims
        super().__init__(batch[:kept], (*batch[kept:], *event), validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """As in the base distribution."""
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self) -> bool:  # type: ignore[override]
        """Whether the base distribution has it and no dimension is reinterpreted."""
        return self.reinterpreted_batch_ndims == 0 and self.base_dist.has_enumerate_support

    @property
    def support(self) -> Constraint:
        """The support of the base distribution, for the joined dimensions."""
        base, count = self.base_dist.support, self.reinterpreted_batch_ndims
        return IndependentConstraint(base, count) if count else base

    @property
    def mean(self) -> Tensor:
        """The mean of the base distribution."""
        return self.base_dist.mean

    @property
    def mode(self) -> Tensor:
        """The mode of the base distribution."""
        return self.base_dist.mode

    @property
    def variance(self) -> Tensor:
        """The variance of the base distribution."""
        return self.base_dist.variance

    def sample(self, sample_shape: Iterable[int] = (), *, generator: Any = None) -> Tensor:
        """Values, outside the graph."""
        return self.base_dist.sample(sample_shape, generator=generator)

    def rsample(self, sample_shape: Iterable[int] = (), *, generator: Any = None) -> Tensor:
        """Values as a differentiable function of the parameters and of noise."""
        return self.base_dist.rsample(sample_shape, generator=generator)

    def log_prob(self, value: Tensor) -> Tensor:
        """The sum of the base distribution's log-probabilities."""
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Tensor:
        """The sum of the base distribution's entropies."""
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values, if no dimension is reinterpreted."""
        if self.reinterpreted_batch_ndims > 0:
            raise NotImplementedError("Enumeration over cartesian product is not implemented")
        return self.base_dist.enumerate_support(expand=expand)

    def expand(self, batch_shape: Iterable[int]) -> Independent:
        """The same distribution with another batch shape."""
        result = self._blank(batch_shape, self.event_shape)
        reinterpreted = self.event_shape[: self.reinterpreted_batch_ndims]
        result.base_dist = self.base_dist.expand((*result.batch_shape, *reinterpreted))
        result.reinterpreted_batch_ndims = self.reinterpreted_batch_ndims
        return result

    def __repr__(self) -> str:
        return f"Independent({self.base_dist!r}, {self.reinterpreted_batch_ndims})"
