"""Policies: how an action is drawn, and the expectation that the soft value takes over it."""

import numpy as np

import autograd as torch
from autograd.generator import from_numpy_generator
from sac.config import AgentConfig
from sac.policies.categorical import CategoricalPolicy
from sac.policies.squashed_gaussian import SquashedGaussianPolicy
from sac.seeding import Streams, generator
from sac.spaces.actions import ActionCodec, DiscreteActions

Policy = SquashedGaussianPolicy | CategoricalPolicy

__all__ = ["CategoricalPolicy", "Policy", "SquashedGaussianPolicy", "policy_for"]


def policy_for(
    codec: ActionCodec,
    features: int,
    config: AgentConfig,
    weights: np.random.Generator,
    streams: Streams,
    device: torch.device,
) -> Policy:
    """Build the policy over this kind of actions, on a device."""
    if isinstance(codec, DiscreteActions):
        return CategoricalPolicy(features, codec.n, config, weights).to(device)
    noise = from_numpy_generator(generator(streams.policy), device)
    return SquashedGaussianPolicy(features, codec.size, config, weights, noise).to(device)
