"""From a configuration and spaces to the parts of an agent: one explicit table of variants."""

import copy
from dataclasses import dataclass

import numpy as np

import autograd as torch
from autograd.generator import from_numpy_generator
from sac.agent.temperature import FixedTemperature, LearnedTemperature
from sac.config import AgentConfig
from sac.critics import ContinuousSoftQNetwork, DiscreteSoftQNetwork, SoftQEnsemble
from sac.errors import ConfigError
from sac.networks.observation_input import NormalizedObservationInput, ObservationInput
from sac.policies import CategoricalPolicy, SquashedGaussianPolicy
from sac.seeding import Streams, generator
from sac.spaces import ActionCodec, ObservationEncoder

Policy = SquashedGaussianPolicy | CategoricalPolicy
SoftQNetwork = ContinuousSoftQNetwork | DiscreteSoftQNetwork
Temperature = LearnedTemperature | FixedTemperature


@dataclass(frozen=True)
class Parts:
    """What an agent is made of."""

    observation_input: ObservationInput
    policy_net: Policy
    soft_q_nets: SoftQEnsemble
    target_soft_q_nets: SoftQEnsemble
    temperature: Temperature


def build_parts(
    config: AgentConfig,
    encoder: ObservationEncoder,
    codec: ActionCodec,
    streams: Streams,
    device: torch.device,
) -> Parts:
    """Build networks, targets and temperature; weights come from the stream `network`."""
    input_class = NormalizedObservationInput if config.normalize_observations else ObservationInput
    observation_input = input_class(encoder.shape, device)
    features = observation_input.features
    weights = generator(streams.network)
    policy_net = _policy(config, features, codec, weights, streams, device)
    soft_q_nets = SoftQEnsemble(
        [_soft_q_net(config, features, codec, weights) for _ in range(config.num_soft_q_nets)]
    )
    target_soft_q_nets = copy.deepcopy(soft_q_nets).requires_grad_(False)
    policy_net.to(device).net.flatten()
    soft_q_nets.to(device).flatten()
    target_soft_q_nets.to(device).flatten()
    temperature = _temperature(config, policy_net, device)
    return Parts(observation_input, policy_net, soft_q_nets, target_soft_q_nets, temperature)


def _policy(
    config: AgentConfig,
    features: int,
    codec: ActionCodec,
    weights: np.random.Generator,
    streams: Streams,
    device: torch.device,
) -> Policy:
    if codec.is_discrete:
        return CategoricalPolicy(features, codec.n, config.hidden_sizes, config.activation, weights)
    return SquashedGaussianPolicy(
        features,
        int(np.prod(codec.shape)),
        config.hidden_sizes,
        config.activation,
        (config.log_std_min, config.log_std_max),
        weights,
        from_numpy_generator(generator(streams.policy), device),
    )


def _soft_q_net(
    config: AgentConfig, features: int, codec: ActionCodec, weights: np.random.Generator
) -> SoftQNetwork:
    if codec.is_discrete:
        return DiscreteSoftQNetwork(
            features, codec.n, config.hidden_sizes, config.activation, weights
        )
    size = int(np.prod(codec.shape))
    return ContinuousSoftQNetwork(features, size, config.hidden_sizes, config.activation, weights)


def _temperature(config: AgentConfig, policy_net: Policy, device: torch.device) -> Temperature:
    if config.alpha != "auto":
        return FixedTemperature(config.alpha, device)
    target_entropy = config.target_entropy
    if target_entropy == "auto":
        target_entropy = policy_net.default_target_entropy
    elif isinstance(policy_net, CategoricalPolicy):
        _check_target_entropy(target_entropy, policy_net.num_actions)
    return LearnedTemperature(config.initial_alpha, target_entropy, config.alpha_lr, device)


def _check_target_entropy(target_entropy: float, num_actions: int) -> None:
    """Raise ConfigError for an entropy that no policy over that many actions has inside its range.

    At either end alpha would fall or rise without end.
    """
    if not 0 < target_entropy < np.log(num_actions):
        raise ConfigError(
            f"agent.target_entropy: expected auto, or nats above 0 and below log({num_actions}) = "
            f"{np.log(num_actions):.4g}, the entropy of random choice among the {num_actions} "
            f"actions, got {target_entropy:g}"
        )
