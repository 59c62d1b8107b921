"""An agent's state as named arrays and JSON documents, and back."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import autograd as torch
from autograd import nn, optim
from sac.agent.variants import image_plan
from sac.config import AgentConfig
from sac.critics.soft_q import SoftQCritic
from sac.errors import CheckpointError, ConfigError
from sac.networks.encoders import FEATURES
from sac.networks.observation_input import ObservationInput
from sac.networks.reward_scale import RewardScale
from sac.seeding import Streams, branch, integer_seed
from sac.spaces import ObservationEncoder, space_from_json, space_to_json

LEAST_SUSPECT = 10**8  # weights of soft Q networks, 400 MB
SUSPECT_SHARE = 1000  # of the policy's weights

State = dict[str, NDArray[Any]]
Generators = Mapping[str, torch.Generator]


def arrays(state: Mapping[str, Any]) -> State:
    """Return tensors and arrays as arrays in host memory, copied."""
    return {
        name: np.array(value.numpy(force=True) if isinstance(value, torch.Tensor) else value)
        for name, value in state.items()
    }


def prefixed(prefix: str, state: Mapping[str, Any]) -> State:
    """Return copied arrays with `prefix.` before every name."""
    return {f"{prefix}.{name}": array for name, array in arrays(state).items()}


def part(state: Mapping[str, NDArray[Any]], prefix: str) -> State:
    """Take the entries whose names begin with `prefix.`, without it."""
    start = f"{prefix}."
    return {n.removeprefix(start): array for n, array in state.items() if n.startswith(start)}


class Learner(Protocol):
    """What has a state: parts by name."""

    updates: int

    @property
    def config(self) -> AgentConfig:
        """The settings."""

    @property
    def observation_input(self) -> ObservationInput:
        """The statistics of observations."""

    @property
    def reward_scale(self) -> RewardScale | None:
        """The statistics of rewards, where there are any."""

    @property
    def encoder(self) -> nn.Module:
        """What policy and critic share."""

    @property
    def policy_net(self) -> nn.Module:
        """The policy."""

    @property
    def critic(self) -> SoftQCritic:
        """The critic, whose networks have names of their own."""

    @property
    def temperature(self) -> nn.Module:
        """The temperature."""

    def optimizers(self) -> Mapping[str, optim.Optimizer]:
        """Return all optimizers by name."""


def _weights(agent: Learner) -> State:
    """Return the weights of all parts; a critic's networks have names of their own."""
    state = prefixed("observation_input", agent.observation_input.state_dict())
    state |= prefixed("encoder", agent.encoder.state_dict())
    state |= prefixed("policy_net", agent.policy_net.state_dict())
    state |= arrays(agent.critic.state_dict())
    if agent.reward_scale is not None:
        state |= prefixed("reward_scale", agent.reward_scale.state_dict())
    return state | prefixed("temperature", agent.temperature.state_dict())


def full_state(agent: Learner) -> State:
    """Return everything that learning goes on from."""
    state: State = {"updates": np.array(agent.updates), **_weights(agent)}
    for name, optimizer in agent.optimizers().items():
        for index, values in optimizer.state_dict()["state"].items():
            state |= prefixed(f"{name}_optimizer.{index}", values)
    return state


def load_full_state(agent: Learner, state: State) -> None:
    """Take over what `full_state` returned; CheckpointError, and no change, if it does not fit."""
    expected: State = {"updates": np.array(0), **_weights(agent)}
    expected |= _adam_states(agent, int(np.max(state.get("updates", 0))))
    _check_fits(state, expected)
    load_weights(agent, state)
    for name, optimizer in agent.optimizers().items():
        _load_optimizer(optimizer, part(state, f"{name}_optimizer"))
    agent.updates = int(state["updates"])


def _adam_states(agent: Learner, updates: int) -> State:
    """Return what the optimizers hold from their first step on, by name, shape and dtype."""
    expected: State = {}
    for name, optimizer in agent.optimizers().items():
        if updates < (1 if name in ("critic", "encoder") else agent.config.policy_delay):
            continue
        for index, parameter in enumerate(optimizer.param_groups[0]["params"]):
            moment = np.zeros(parameter.shape, np.float32)
            values = {"step": np.float32(0), "exp_avg": moment, "exp_avg_sq": moment}
            expected |= prefixed(f"{name}_optimizer.{index}", values)
    return expected


def _load_optimizer(optimizer: optim.Optimizer, state: State) -> None:
    document = optimizer.state_dict()
    document["state"] = {
        index: {name: torch.tensor(array) for name, array in part(state, str(index)).items()}
        for index in sorted({int(name.split(".")[0]) for name in state})
    }
    optimizer.load_state_dict(document)


def forget_steps(optimizers: Iterable[optim.Optimizer]) -> None:
    """Let optimizers start anew; in their place, as a captured update names their tensors."""
    for optimizer in optimizers:
        for values in optimizer.state.values():
            for tensor in values.values():
                tensor.zero_()


def load_weights(agent: Learner, state: State) -> None:
    """Take over networks, targets, alpha and statistics, not the optimizers."""
    expected = _weights(agent)
    roots = {
        "observation_input",
        "reward_scale",
        "encoder",
        "temperature",
        *(name.split(".")[0] for name in expected),
    }
    weights = {name: array for name, array in state.items() if name.split(".")[0] in roots}
    _check_fits(weights, expected)
    named = {
        "encoder": agent.encoder,
        "policy_net": agent.policy_net,
        "temperature": agent.temperature,
    }
    for name, module in named.items():
        _load_module(module, part(weights, name))
    _load_module(agent.critic, {name: weights[name] for name in agent.critic.state_dict()})
    agent.observation_input.load_state_dict(part(weights, "observation_input"))
    if agent.reward_scale is not None:
        agent.reward_scale.load_state_dict(part(weights, "reward_scale"))


def _load_module(module: Any, state: State) -> None:
    module.load_state_dict({name: torch.tensor(array) for name, array in state.items()})


def _check_fits(state: State, expected: State) -> None:
    """Raise CheckpointError unless names, shapes and dtypes are those of `expected`."""
    found, wanted = _layout(state), _layout(expected)
    differences = [
        f"{name}: expected {wanted.get(name, 'nothing')}, got {found.get(name, 'nothing')}"
        for name in sorted(found.keys() | wanted.keys())
        if found.get(name) != wanted.get(name)
    ]
    if differences:
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise CheckpointError(
            "the checkpoint does not fit the agent (other spaces, or another hidden_sizes, "
            "num_soft_q_nets, alpha, encoder or normalize_observations?): "
            f"{'; '.join(differences[:3])}{more}"
        )


def _layout(state: State) -> dict[str, str]:
    return {name: f"{array.dtype} {array.shape}" for name, array in state.items()}


def policy_state(agent: Learner) -> State:
    """Return what acting needs."""
    state = prefixed("policy_net", agent.policy_net.state_dict())
    state |= prefixed("encoder", agent.encoder.state_dict())
    return state | prefixed("observation_input", agent.observation_input.state_dict())


def load_policy_state(agent: Learner, state: State) -> None:
    """Take over what `policy_state` returned; CheckpointError where it does not fit."""
    _check_fits(state, policy_state(agent))
    _load_module(agent.policy_net, part(state, "policy_net"))
    _load_module(agent.encoder, part(state, "encoder"))
    agent.observation_input.load_state_dict(part(state, "observation_input"))


def generator_state(generators: Generators) -> dict[str, Any]:
    """Return the states of generators, as JSON."""
    return {name: generator.state_dict() for name, generator in generators.items()}


def load_generator_state(
    generators: Generators, state: Mapping[str, Any], device: torch.device
) -> list[str]:
    """Take over what `generator_state` returned; say where it was of another kind of device."""
    notes = []
    try:
        for name, generator in generators.items():
            if _kind(state[name]) != _kind(generator.state_dict()):
                notes = [
                    f"other random actions from here on: the run was on another device than "
                    f"{device} until now"
                ]
            generator.load_state_dict(state[name])
    except (RuntimeError, KeyError, TypeError) as error:
        raise CheckpointError(f"not the states of the agent's generators: {error}") from error
    return notes


def _kind(state: Mapping[str, Any]) -> str:
    """Return the algorithm of a generator: on a GPU it is another than on the CPU."""
    return state["bit_generator"]["bit_generator"]


def renew_noise(generators: Generators, streams: Streams, number: int) -> None:
    """Go on with branch `number` of the streams that the generators began with."""
    for name, generator in generators.items():
        generator.manual_seed(integer_seed(branch(getattr(streams, name), number)))


def description(observation_space: Any, action_space: Any, config: AgentConfig) -> dict[str, Any]:
    """Return spaces and settings, as JSON."""
    return {
        "observation_space": space_to_json(observation_space),
        "action_space": space_to_json(action_space),
        "agent": asdict(config),
    }


def described(document: Mapping[str, Any], policy: State) -> tuple[Any, Any, AgentConfig]:
    """Return spaces and settings of a `description`; CheckpointError for a wrong one.

    Also, before memory is taken, for one of larger networks than `policy`, its weights, fills, and
    for critics that are out of all proportion to it.
    """
    try:
        observation_space = space_from_json(document["observation_space"])
        action_space = space_from_json(document["action_space"])
        config = AgentConfig(**document["agent"])
        observations = ObservationEncoder(observation_space)
        images = image_plan(config, observations)
    except (KeyError, TypeError, ConfigError) as error:
        raise CheckpointError(f"policy.json does not describe a policy: {error}") from error
    if images is None:
        sizes, needed = [math.prod(observations.shape)], 0
    else:
        sizes, needed = [images.features], images.projected * FEATURES
    needed += sum(m * n for m, n in pairwise([*sizes, *config.hidden_sizes]))
    available = sum(array.size for array in policy.values())
    if needed > available:
        raise CheckpointError(
            f"policy.json describes a network of {needed} weights or more, and policy.safetensors "
            f"holds {available} numbers"
        )
    widths = [*sizes, *(config.critic_hidden_sizes or config.hidden_sizes)]
    of_critics = config.num_soft_q_nets * sum(m * n for m, n in pairwise(widths))
    if of_critics > max(LEAST_SUSPECT, SUSPECT_SHARE * available):
        raise CheckpointError(
            f"policy.json describes soft Q networks of {of_critics} weights, and "
            f"policy.safetensors holds {available} numbers: expected at most {SUSPECT_SHARE} times "
            "as many"
        )
    return observation_space, action_space, config
