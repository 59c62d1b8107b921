"""Probability distributions, with samples through which gradients flow."""

from typing import Any

from autograd.distributions import constraints
from autograd.distributions.categorical import Categorical
from autograd.distributions.distribution import Distribution
from autograd.distributions.independent import Independent
from autograd.distributions.kl import kl_divergence
from autograd.distributions.normal import Normal
from autograd.distributions.transformed import TransformedDistribution
from autograd.distributions.transforms import AffineTransform, TanhTransform, Transform
from autograd.errors import attribute_error

__all__ = [
    "AffineTransform",
    "Categorical",
    "Distribution",
    "Independent",
    "Normal",
    "TanhTransform",
    "Transform",
    "TransformedDistribution",
    "constraints",
    "kl_divergence",
]


def __getattr__(name: str) -> Any:
    """Say that a name of torch is not offered, and which is nearest."""
    raise attribute_error("module 'autograd.distributions'", name, __all__)
