"""Soft Q networks: how a value is read, and how its error is measured."""

from sac.critics.continuous import ContinuousSoftQNetwork
from sac.critics.discrete import DiscreteSoftQNetwork
from sac.critics.ensemble import SoftQEnsemble

__all__ = ["ContinuousSoftQNetwork", "DiscreteSoftQNetwork", "SoftQEnsemble"]
