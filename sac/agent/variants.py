"""From a configuration and spaces to the parts of an agent: one explicit table of variants."""

from dataclasses import dataclass

import autograd as torch
from sac.agent.temperature import FixedTemperature, LearnedTemperature
from sac.config import AgentConfig
from sac.critics import reading_for
from sac.critics.categorical import CategoricalCritic
from sac.critics.crossq import CrossQCritic
from sac.critics.redq import REDQCritic
from sac.critics.soft_q import SoftQCritic
from sac.critics.tqc import TQCCritic
from sac.errors import ConfigError
from sac.networks.observation_input import NormalizedObservationInput, ObservationInput
from sac.policies import Policy, policy_for
from sac.seeding import Streams, generator
from sac.spaces import ActionCodec, ObservationEncoder

Temperature = LearnedTemperature | FixedTemperature

CRITICS: dict[str, type[SoftQCritic]] = {
    "sac": SoftQCritic,
    "redq": REDQCritic,
    "tqc": TQCCritic,
    "categorical": CategoricalCritic,
    "crossq": CrossQCritic,
}


@dataclass(frozen=True)
class Parts:
    """What an agent is made of."""

    observation_input: ObservationInput
    policy_net: Policy
    critic: SoftQCritic
    temperature: Temperature


def critic_class(config: AgentConfig) -> type[SoftQCritic]:
    """Return the class that `agent.critic` names; ConfigError where it names none."""
    if config.critic not in CRITICS:
        raise ConfigError(
            f"agent.critic: expected one of {', '.join(CRITICS)}, got {config.critic!r}"
        )
    return CRITICS[config.critic]


def build_parts(
    config: AgentConfig,
    encoder: ObservationEncoder,
    codec: ActionCodec,
    streams: Streams,
    device: torch.device,
) -> Parts:
    """Build all parts; the weights of policy, then critic, come from the stream `network`."""
    input_class = NormalizedObservationInput if config.normalize_observations else ObservationInput
    observation_input = input_class(encoder.shape, device, encoder.largest())
    features = observation_input.features
    weights = generator(streams.network)
    policy_net = policy_for(codec, features, config, weights, streams, device)
    reading = reading_for(codec, features)
    critic = critic_class(config)(reading, config, weights, streams, device)
    temperature = _temperature(config, policy_net, device)
    return Parts(observation_input, policy_net, critic, temperature)


def _temperature(config: AgentConfig, policy_net: Policy, device: torch.device) -> Temperature:
    if config.alpha != "auto":
        return FixedTemperature(config.alpha, device)
    target_entropy = config.target_entropy
    if config.target_std is not None:
        target_entropy = policy_net.entropy_of(config.target_std)
    elif target_entropy == "auto":
        target_entropy = policy_net.default_target_entropy
    else:
        policy_net.check_target_entropy(target_entropy)
    return LearnedTemperature(config.initial_alpha, target_entropy, config.alpha_lr, device)


def metric_names(config: AgentConfig) -> list[str]:
    """Return the names of all that an update measures, in the order of the columns."""
    losses, values = critic_class(config).metric_names(config)
    return [
        *losses, "policy_loss", "alpha_loss", "alpha", "entropy", "target_entropy", *values,
    ]  # fmt: skip
