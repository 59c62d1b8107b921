"""Policies: how an action is drawn, and the expectation that the soft value takes over it."""

from sac.policies.categorical import CategoricalPolicy
from sac.policies.squashed_gaussian import SquashedGaussianPolicy

__all__ = ["CategoricalPolicy", "SquashedGaussianPolicy"]
