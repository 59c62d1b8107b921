"""Policies: how an action is drawn, and the expectation that the soft value takes over it."""

import numpy as np

import autograd as torch
from autograd.generator import from_numpy_generator
from sac.config import AgentConfig
from sac.errors import ConfigError
from sac.policies.categorical import CategoricalPolicy
from sac.policies.factored import FactoredPolicy, SampledFactoredPolicy
from sac.policies.gsde import StateDependentPolicy
from sac.policies.squashed_gaussian import SquashedGaussianPolicy
from sac.seeding import Streams, generator
from sac.spaces.actions import ActionCodec, DiscreteActions

Policy = SquashedGaussianPolicy | CategoricalPolicy | FactoredPolicy

__all__ = [
    "CategoricalPolicy",
    "FactoredPolicy",
    "Policy",
    "SampledFactoredPolicy",
    "SquashedGaussianPolicy",
    "StateDependentPolicy",
    "policy_for",
]


def policy_for(
    codec: ActionCodec,
    features: int,
    config: AgentConfig,
    weights: np.random.Generator,
    streams: Streams,
    device: torch.device,
    *,
    is_exact: bool,
) -> Policy:
    """Build the policy over this kind of actions, on a device.

    `is_exact`: critics give the value of each joint choice of categories. ConfigError for gSDE with
    other actions than a Box.
    """
    if config.gsde_log_std is not None and (codec.categories or len(codec.parts) > 1):
        raise ConfigError(
            f"agent.gsde_log_std: expected actions of one Box, got {codec.space}; train.noise: "
            "held keeps the noise of any actions for some steps"
        )
    if isinstance(codec, DiscreteActions) and is_exact:
        return CategoricalPolicy(features, codec.n, config, weights).to(device)
    noise = from_numpy_generator(generator(streams.policy), device)
    if len(codec.parts) == 1 and not codec.categories:
        if config.gsde_log_std is not None:
            return StateDependentPolicy(features, codec.size, config, weights, noise).to(device)
        return SquashedGaussianPolicy(features, codec.size, config, weights, noise).to(device)
    kind = FactoredPolicy if is_exact else SampledFactoredPolicy
    return kind(features, codec.parts, config, weights, noise).to(device)
