"""Soft Q networks: how a value is read, and how its error is measured."""

from sac.soft_q.continuous import ContinuousSoftQNetwork
from sac.soft_q.discrete import DiscreteSoftQNetwork
from sac.soft_q.ensemble import SoftQEnsemble

__all__ = ["ContinuousSoftQNetwork", "DiscreteSoftQNetwork", "SoftQEnsemble"]
