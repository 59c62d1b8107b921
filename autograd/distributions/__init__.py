"""Probability distributions, with samples through which gradients flow."""

from autograd.distributions import constraints
from autograd.distributions.categorical import Categorical
from autograd.distributions.distribution import Distribution
from autograd.distributions.independent import Independent
from autograd.distributions.kl import kl_divergence
from autograd.distributions.normal import Normal
from autograd.distributions.transformed import TransformedDistribution
from autograd.distributions.transforms import AffineTransform, TanhTransform, Transform
from autograd.errors import missing_names

__getattr__ = missing_names(__name__)
