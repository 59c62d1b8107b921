"""The distribution over a finite number of classes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from autograd.backend import backend_of
from autograd.creation import full
from autograd.distributions import constraints
from autograd.distributions.distribution import Distribution
from autograd.dtypes import Size
from autograd.engine.grad_mode import enable_grad
from autograd.functional.activation import softmax
from autograd.functional.broadcasting import broadcast_shapes
from autograd.random import source
from autograd.tensors.tensor import Tensor


class Categorical(Distribution):
    """Classes 0 to n - 1, with probabilities in proportion to `probs` or to `exp(logits)`.

    The last dimension of the parameter counts the classes. `probs` and `logits` are normalised, and
    each is computed from the other on first use.
    """

    has_enumerate_support = True
    arg_constraints = {  # noqa: RUF012
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }

    def __init__(
        self,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        """Take one of `probs` and `logits`, (*batch_shape, n)."""
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        name = "logits" if probs is None else "probs"
        given: Any = logits if probs is None else probs
        if given.dim() < 1:
            raise ValueError(f"`{name}` parameter must be at least one-dimensional.")
        if probs is None:
            self.logits = given - given.logsumexp(-1, keepdim=True)
        else:
            self.probs = given / given.sum(-1, keepdim=True)
        self._num_events = given.shape[-1]
        super().__init__(given.shape[:-1], validate_args=validate_args)

    @cached_property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities, clamped away from 0 and 1."""
        with enable_grad():
            eps = float(np.finfo(self.probs._array.dtype).eps)
            return self.probs.clamp(min=eps, max=1 - eps).log()

    @cached_property
    def probs(self) -> Tensor:
        """The probabilities."""
        with enable_grad():
            return softmax(self.logits, -1)

    @property
    def _param(self) -> Tensor:
        return self.probs if "probs" in self.__dict__ else self.logits

    @property
    def param_shape(self) -> Size:
        """(*batch_shape, n)."""
        return self._param.shape

    @property
    def support(self) -> constraints.Constraint:
        """The whole numbers from 0 to n - 1."""
        return constraints.IntegerInterval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        """NaN: classes have no order."""
        return self._undefined()

    @property
    def variance(self) -> Tensor:
        """NaN: classes have no order."""
        return self._undefined()

    def _undefined(self) -> Tensor:
        param = self._param
        return full(self._extended_shape(), float("nan"), dtype=param.dtype, device=param.device)

    @property
    def mode(self) -> Tensor:
        """The most probable class, int64; the first among equals."""
        return self.probs.argmax(-1)

    def sample(self, sample_shape: Iterable[int] = (), *, generator: Any = None) -> Tensor:
        """Draw classes, int64; `generator` is no argument of torch's."""
        probs = self.probs._array
        xp = backend_of(probs)
        shape = self._extended_shape(sample_shape)
        # In float64, because a cumulative sum in float32 gives the last classes a wrong share.
        cumulative = xp.cumsum(probs.astype(np.float64), axis=-1)
        uniform = source(generator, self.probs.device).random(shape)
        threshold = uniform * cumulative[..., -1]
        below = (cumulative <= threshold[..., None]).astype(np.int64)
        return self.probs._wrap(xp.array_of(xp.add.reduce(below, axis=-1)))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of a class."""
        if self._validate_args:
            self._validate_sample(value)
        shape = broadcast_shapes(tuple(value.shape), tuple(self.batch_shape))
        index = value.long().expand(shape).unsqueeze(-1)
        return self.logits.expand((*shape, self._num_events)).gather(-1, index).squeeze(-1)

    def entropy(self) -> Tensor:
        """Minus the expected `log_prob`; classes of probability 0 add nothing."""
        lowest = float(np.finfo(self.logits._array.dtype).min)
        return -(self.logits.clamp(min=lowest) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All classes along a new first dimension; `expand` repeats them for every distribution."""
        xp = backend_of(self._param._array)
        classes = self._param._wrap(xp.arange(self._num_events))
        classes = classes.reshape(-1, *(1 for _ in self.batch_shape))
        return classes.expand((-1, *self.batch_shape)) if expand else classes

    def expand(self, batch_shape: Iterable[int]) -> Categorical:
        """The same distribution with another batch shape."""
        result = self._blank(batch_shape, ())
        result._num_events = self._num_events
        shape = (*result.batch_shape, self._num_events)
        for name in ("probs", "logits"):
            if name in self.__dict__:
                setattr(result, name, self.__dict__[name].expand(shape))
        return result
