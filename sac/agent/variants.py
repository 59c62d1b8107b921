"""From a configuration and spaces to the parts of an agent: one explicit table of variants."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import autograd as torch
from autograd import nn, optim
from sac.agent.temperature import FixedTemperature, LearnedTemperature, PartTemperatures
from sac.config import AgentConfig
from sac.critics import is_summed, reading_for
from sac.critics.categorical import CategoricalCritic
from sac.critics.crossq import CrossQCritic
from sac.critics.hl_gauss import HLGaussCritic
from sac.critics.redq import REDQCritic
from sac.critics.soft_q import SoftQCritic
from sac.critics.tqc import TQCCritic
from sac.errors import ConfigError
from sac.networks.encoders import Encoder, ImageEncoder, ImagePart, PlainEncoder, Plan
from sac.networks.observation_input import NormalizedObservationInput, ObservationInput
from sac.networks.optimizers import adam
from sac.policies import FactoredPolicy, Policy, policy_for
from sac.seeding import Streams, generator
from sac.spaces import ActionCodec, ObservationEncoder
from sac.spaces.actions import Part

Temperature = LearnedTemperature | PartTemperatures | FixedTemperature

CRITICS: dict[str, type[SoftQCritic]] = {
    "sac": SoftQCritic,
    "redq": REDQCritic,
    "tqc": TQCCritic,
    "categorical": CategoricalCritic,
    "hl_gauss": HLGaussCritic,
    "crossq": CrossQCritic,
}


@dataclass(frozen=True)
class Parts:
    """What an agent is made of."""

    encoder: Encoder
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
    observations: ObservationEncoder,
    codec: ActionCodec,
    streams: Streams,
    device: torch.device,
) -> Parts:
    """Build all parts; the weights of each in turn come from the stream `network`."""
    images = image_plan(config, observations)
    # Another Box that convolutions were asked to read may be of numbers of any size.
    brightnesses = [columns for columns, _ in observations.images(is_asked_for=False)]
    kept = [] if images is None else brightnesses
    known = observations.shape, device, observations.largest()
    observation_input = (
        NormalizedObservationInput(*known, kept)
        if config.normalize_observations
        else ObservationInput(*known)
    )
    weights = generator(streams.network)
    encoder: Encoder = PlainEncoder(observation_input.features)
    if images is not None:
        shifts = generator(streams.augmentation)
        encoder = ImageEncoder(images, weights, shifts, device, partial(_critic_adam, config))
    features = encoder.features
    kind = critic_class(config)
    is_exact = is_summed(codec, gives_values=kind.gives_values)
    policy_net = policy_for(codec, features, config, weights, streams, device, is_exact=is_exact)
    reading = reading_for(codec, features, is_exact=is_exact)
    critic = kind(reading, config, weights, streams, device)
    temperature = _temperature(config, codec.parts, policy_net, device)
    return Parts(encoder, observation_input, policy_net, critic, temperature)


def image_plan(config: AgentConfig, observations: ObservationEncoder) -> Plan | None:
    """Return what images are read by; None: all features go to the networks as they are.

    ConfigError for an encoder without an image, or with too small ones.
    """
    if config.encoder == "none":
        return None
    is_asked_for = config.encoder != "auto"
    images = [ImagePart(*found) for found in observations.images(is_asked_for=is_asked_for)]
    if not images and is_asked_for:
        raise ConfigError(
            f"agent.encoder: {config.encoder} reads images, each a Box of three or four "
            f"dimensions, and there is none in {observations.space}; leave agent.encoder out, or "
            "give grey images a channel by gymnasium.wrappers.ReshapeObservation"
        )
    kind = config.encoder if is_asked_for else "nature"
    columns = math.prod(observations.shape)
    return Plan(kind, images, columns, config.random_shift) if images else None


def _critic_adam(config: AgentConfig, module: nn.Module) -> optim.Optimizer:
    return adam(module, config.soft_q_lr, config.adam_betas, config.weight_decay)


def _temperature(
    config: AgentConfig, parts: Sequence[Part], policy_net: Policy, device: torch.device
) -> Temperature:
    if config.alpha != "auto":
        return FixedTemperature(config.alpha, device)
    if has_part_alphas(config, parts):
        assert isinstance(policy_net, FactoredPolicy)
        targets = policy_net.target_entropies(config.target_std)
        named = dict(zip((part.name for part in parts), targets, strict=True))
        return PartTemperatures(config.initial_alpha, named, config.alpha_lr, device)
    target_entropy = config.target_entropy
    if config.target_std is not None:
        target_entropy = policy_net.entropy_of(config.target_std)
    elif target_entropy == "auto":
        target_entropy = policy_net.default_target_entropy
    else:
        policy_net.check_target_entropy(target_entropy)
    return LearnedTemperature(config.initial_alpha, target_entropy, config.alpha_lr, device)


def has_part_alphas(config: AgentConfig, parts: Sequence[Part]) -> bool:
    """Return whether each part of an action has a temperature of its own."""
    return config.alpha_per_part and len(parts) > 1


def metric_names(config: AgentConfig, parts: Sequence[Part] = ()) -> list[str]:
    """Return the names of all that an update measures, in the order of the columns.

    `parts`: those of the action space.
    """
    losses, values = critic_class(config).metric_names(config)
    names = [part.name for part in parts if has_part_alphas(config, parts)]
    of_parts = [f"{kind}/{name}" for kind in ("alpha", "entropy") for name in names]
    return [
        *losses, "policy_loss", "alpha_loss", "alpha", "entropy", "target_entropy", *of_parts,
        *values,
    ]  # fmt: skip
