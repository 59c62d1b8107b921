"""The Kullback-Leibler divergence, for pairs of distributions with a closed form."""

from __future__ import annotations

import math
from typing import Any

from autograd.distributions.categorical import Categorical
from autograd.distributions.distribution import Distribution, sum_rightmost
from autograd.distributions.independent import Independent
from autograd.distributions.normal import Normal
from autograd.distributions.transformed import TransformedDistribution
from autograd.tensors.tensor import Tensor


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The expected value of `p.log_prob(x) - q.log_prob(x)` for x drawn from p.

    Raises:
        NotImplementedError: the pair has no closed form here.
    """
    for kind, divergence in _DIVERGENCES.items():
        if isinstance(p, kind) and isinstance(q, kind):
            return divergence(p, q)
    raise NotImplementedError(
        f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}"
    )


def _normal(p: Normal, q: Normal) -> Tensor:
    variance_ratio = (p.scale / q.scale).square()
    distance = ((p.loc - q.loc) / q.scale).square()
    return 0.5 * (variance_ratio + distance - 1 - variance_ratio.log())


def _categorical(p: Categorical, q: Categorical) -> Tensor:
    terms = p.probs * (p.logits - q.logits)
    terms = terms.masked_fill(q.probs == 0, math.inf)
    return terms.masked_fill(p.probs == 0, 0.0).sum(-1)


def _independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            "the two Independent distributions reinterpret different numbers of dimensions"
        )
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("the two distributions are not transformed alike")
    return kl_divergence(p.base_dist, q.base_dist)


_DIVERGENCES: dict[type, Any] = {
    Normal: _normal,
    Categorical: _categorical,
    Independent: _independent,
    TransformedDistribution: _transformed,
}
