"""An agent's state as named arrays and JSON documents, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import autograd as torch
from autograd import nn, optim
from sac.config import AgentConfig
from sac.errors import CheckpointError, ConfigError
from sac.spaces import space_from_json, space_to_json

if TYPE_CHECKING:
    from sac.agent import SACAgent

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


def full_state(agent: "SACAgent") -> State:
    """Everything that learning goes on from."""
    state: State = {"updates": np.array(agent.updates)}
    for name, module in _modules(agent).items():
        state |= prefixed(name, module.state_dict())
    for name, optimizer in _optimizers(agent).items():
        for index, values in optimizer.state_dict()["state"].items():
            state |= prefixed(f"{name}.{index}", values)
    return state | prefixed("observation_input", agent.observation_input.state_dict())


def load_full_state(agent: "SACAgent", state: State) -> None:
    """Take over what `full_state` returned; CheckpointError where it does not fit."""
    load_weights(agent, state)
    try:
        for name, optimizer in _optimizers(agent).items():
            _load_optimizer(optimizer, part(state, name))
        agent.updates = int(state["updates"])
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise _misfit(error) from error


def _load_optimizer(optimizer: optim.Optimizer, state: State) -> None:
    document = optimizer.state_dict()
    indices = sorted({int(name.split(".")[0]) for name in state})
    document["state"] = {
        index: {name: torch.tensor(array) for name, array in part(state, str(index)).items()}
        for index in indices
    }
    optimizer.load_state_dict(document)


def load_weights(agent: "SACAgent", state: State) -> None:
    """Take over networks, targets, alpha and statistics, not the optimizers."""
    for name, module in _modules(agent).items():
        _load_module(module, part(state, name))
    _load_observation_input(agent, state)


def _load_module(module: nn.Module, state: State) -> None:
    try:
        module.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    except (RuntimeError, TypeError) as error:
        raise _misfit(error) from error


def _load_observation_input(agent: "SACAgent", state: State) -> None:
    try:
        agent.observation_input.load_state_dict(part(state, "observation_input"))
    except (KeyError, ValueError) as error:
        raise _misfit(error) from error


def _misfit(error: Exception) -> CheckpointError:
    return CheckpointError(
        f"the checkpoint does not fit the agent (other spaces, hidden_sizes or num_soft_q_nets?): {error}"
    )


def policy_state(agent: "SACAgent") -> State:
    """What acting needs."""
    state = prefixed("policy_net", agent.policy_net.state_dict())
    return state | prefixed("observation_input", agent.observation_input.state_dict())


def load_policy_state(agent: "SACAgent", state: State) -> None:
    """Take over what `policy_state` returned."""
    _load_module(agent.policy_net, part(state, "policy_net"))
    _load_observation_input(agent, state)


def _generators(agent: "SACAgent") -> dict[str, Any]:
    named = {"exploration": agent.exploration}
    noise = getattr(agent.policy_net, "noise", None)
    return named if noise is None else named | {"policy": noise}


def generator_state(agent: "SACAgent") -> dict[str, Any]:
    """The states of the agent's generators, as JSON."""
    return {name: generator.state_dict() for name, generator in _generators(agent).items()}


def load_generator_state(agent: "SACAgent", state: Mapping[str, Any]) -> None:
    """Take over what `generator_state` returned."""
    try:
        for name, generator in _generators(agent).items():
            generator.load_state_dict(state[name])
    except (RuntimeError, KeyError, TypeError) as error:
        raise CheckpointError(f"not the states of the agent's generators: {error}") from error


def description(agent: "SACAgent") -> dict[str, Any]:
    """Spaces and settings."""
    return {
        "observation_space": space_to_json(agent.observation_encoder.space),
        "action_space": space_to_json(agent.action_codec.space),
        "agent": asdict(agent.config),
    }


def described_agent(cls: type["SACAgent"], document: Mapping[str, Any], device: str) -> "SACAgent":
    """Build an untrained agent from its description; CheckpointError for a wrong one."""
    try:
        observation_space = space_from_json(document["observation_space"])
        action_space = space_from_json(document["action_space"])
        config = AgentConfig(**document["agent"])
    except (KeyError, TypeError, ConfigError) as error:
        raise CheckpointError(f"policy.json does not describe a policy: {error}") from error
    return cls(observation_space, action_space, config, device=device)
