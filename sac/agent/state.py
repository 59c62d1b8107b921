"""An agent's state as named arrays and JSON documents, and back."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import autograd as torch
from autograd import nn, optim
from sac.config import AgentConfig
from sac.errors import CheckpointError, ConfigError
from sac.seeding import Streams, branch, integer_seed
from sac.spaces import ObservationEncoder, space_from_json, space_to_json

if TYPE_CHECKING:
    from sac.agent.agent import SACAgent

State = dict[str, NDArray[Any]]


def prefixed(prefix: str, state: Mapping[str, Any]) -> State:
    """Put `prefix.` before every name; tensors become arrays in host memory, copied."""
    return {
        f"{prefix}.{name}": np.array(
            value.numpy(force=True) if isinstance(value, torch.Tensor) else value
        )
        for name, value in state.items()
    }


def part(state: Mapping[str, NDArray[Any]], prefix: str) -> State:
    """Take the entries whose names begin with `prefix.`, without it."""
    start = f"{prefix}."
    return {n.removeprefix(start): array for n, array in state.items() if n.startswith(start)}


def _modules(agent: "SACAgent") -> dict[str, nn.Module]:
    return {
        "policy_net": agent.policy_net,
        "soft_q_nets": agent.soft_q_nets,
        "target_soft_q_nets": agent.target_soft_q_nets,
        "temperature": agent.temperature,
    }


def _optimizers(agent: "SACAgent") -> dict[str, optim.Optimizer]:
    named: dict[str, optim.Optimizer] = {"policy_optimizer": agent.policy_optimizer}
    for i, optimizer in enumerate(agent.soft_q_optimizers):
        named[f"soft_q_optimizers.{i}"] = optimizer
    if agent.temperature.optimizer is not None:
        named["alpha_optimizer"] = agent.temperature.optimizer
    return named


def _weights(agent: "SACAgent") -> State:
    state = prefixed("observation_input", agent.observation_input.state_dict())
    for name, module in _modules(agent).items():
        state |= prefixed(name, module.state_dict())
    return state


def full_state(agent: "SACAgent") -> State:
    """Everything that learning goes on from."""
    state: State = {"updates": np.array(agent.updates), **_weights(agent)}
    for name, optimizer in _optimizers(agent).items():
        for index, values in optimizer.state_dict()["state"].items():
            state |= prefixed(f"{name}.{index}", values)
    return state


def load_full_state(agent: "SACAgent", state: State) -> None:
    """Take over what `full_state` returned; CheckpointError, and no change, if it does not fit."""
    expected: State = {"updates": np.array(0), **_weights(agent)}
    if np.any(state.get("updates") != 0):  # optimizers have no state before their first step
        expected |= _adam_states(agent)
    _check_fits(state, expected)
    load_weights(agent, state)
    for name, optimizer in _optimizers(agent).items():
        _load_optimizer(optimizer, part(state, name))
    agent.updates = int(state["updates"])


def _adam_states(agent: "SACAgent") -> State:
    """What the optimizers hold from their first step on, by name, shape and dtype."""
    expected: State = {}
    for name, optimizer in _optimizers(agent).items():
        for index, parameter in enumerate(optimizer.param_groups[0]["params"]):
            moment = np.zeros(parameter.shape, np.float32)
            values = {"step": np.float32(0), "exp_avg": moment, "exp_avg_sq": moment}
            expected |= prefixed(f"{name}.{index}", values)
    return expected


def _load_optimizer(optimizer: optim.Optimizer, state: State) -> None:
    document = optimizer.state_dict()
    document["state"] = {
        index: {name: torch.tensor(array) for name, array in part(state, str(index)).items()}
        for index in sorted({int(name.split(".")[0]) for name in state})
    }
    optimizer.load_state_dict(document)


def load_weights(agent: "SACAgent", state: State) -> None:
    """Take over networks, targets, alpha and statistics, not the optimizers."""
    parts = ("observation_input", *_modules(agent))
    weights = {name: array for name, array in state.items() if name.split(".")[0] in parts}
    _check_fits(weights, _weights(agent))
    for name, module in _modules(agent).items():
        _load_module(module, part(weights, name))
    agent.observation_input.load_state_dict(part(weights, "observation_input"))


def _load_module(module: nn.Module, state: State) -> None:
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
            "num_soft_q_nets, alpha or normalize_observations?): "
            f"{'; '.join(differences[:3])}{more}"
        )


def _layout(state: State) -> dict[str, str]:
    return {name: f"{array.dtype} {array.shape}" for name, array in state.items()}


def policy_state(agent: "SACAgent") -> State:
    """What acting needs."""
    state = prefixed("policy_net", agent.policy_net.state_dict())
    return state | prefixed("observation_input", agent.observation_input.state_dict())


def load_policy_state(agent: "SACAgent", state: State) -> None:
    """Take over what `policy_state` returned; CheckpointError where it does not fit."""
    _check_fits(state, policy_state(agent))
    _load_module(agent.policy_net, part(state, "policy_net"))
    agent.observation_input.load_state_dict(part(state, "observation_input"))


def _generators(agent: "SACAgent") -> dict[str, Any]:
    named = {"exploration": agent.exploration}
    noise = getattr(agent.policy_net, "noise", None)
    return named if noise is None else named | {"policy": noise}


def generator_state(agent: "SACAgent") -> dict[str, Any]:
    """The states of the agent's generators, as JSON."""
    return {name: generator.state_dict() for name, generator in _generators(agent).items()}


def load_generator_state(agent: "SACAgent", state: Mapping[str, Any]) -> list[str]:
    """Take over what `generator_state` returned; say where it was of another kind of device."""
    notes = []
    try:
        for name, generator in _generators(agent).items():
            if _kind(state[name]) != _kind(generator.state_dict()):
                notes = [
                    f"other random actions from here on: the run was on another device than "
                    f"{agent.device} until now"
                ]
            generator.load_state_dict(state[name])
    except (RuntimeError, KeyError, TypeError) as error:
        raise CheckpointError(f"not the states of the agent's generators: {error}") from error
    return notes


def _kind(state: Mapping[str, Any]) -> str:
    """The algorithm of a generator: on a GPU it is another than on the CPU."""
    return state["bit_generator"]["bit_generator"]


def renew_noise(agent: "SACAgent", streams: Streams, number: int) -> None:
    """Go on with branch `number` of the streams that the generators began with."""
    for name, generator in _generators(agent).items():
        generator.manual_seed(integer_seed(branch(getattr(streams, name), number)))


def description(agent: "SACAgent") -> dict[str, Any]:
    """Spaces and settings."""
    return {
        "observation_space": space_to_json(agent.observation_encoder.space),
        "action_space": space_to_json(agent.action_codec.space),
        "agent": asdict(agent.config),
    }


def described_agent(
    cls: type["SACAgent"], document: Mapping[str, Any], device: str, policy: State
) -> "SACAgent":
    """Build an untrained agent from its description; CheckpointError for a wrong one.

    Also for one of larger networks than `policy`, its weights, fills: before memory is taken.
    """
    try:
        observation_space = space_from_json(document["observation_space"])
        action_space = space_from_json(document["action_space"])
        config = AgentConfig(**document["agent"])
    except (KeyError, TypeError, ConfigError) as error:
        raise CheckpointError(f"policy.json does not describe a policy: {error}") from error
    features = ObservationEncoder(observation_space).shape
    sizes = [math.prod(features), *config.hidden_sizes]
    needed = sum(m * n for m, n in pairwise(sizes))
    available = sum(array.size for array in policy.values())
    if needed > available:
        raise CheckpointError(
            f"policy.json describes a network of {needed} weights or more, and policy.safetensors "
            f"holds {available} numbers"
        )
    return cls(observation_space, action_space, config, device=device)
