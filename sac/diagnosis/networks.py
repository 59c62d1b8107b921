"""Looking into an agent's networks, without changing anything in it."""

from collections.abc import Iterator

from numpy.typing import NDArray

import autograd as torch
from autograd import no_grad
from autograd.nn import functional as F
from sac.agent.agent import SACAgent
from sac.networks.mlp import MLP
from sac.replay.batch import Batch


def named_networks(agent: SACAgent) -> dict[str, MLP]:
    """Return the networks that are learned, by what a user calls them."""
    critics = {f"soft Q network {i}": net.net for i, net in enumerate(agent.soft_q_nets, start=1)}
    return {"policy": agent.policy_net.net, **critics}


def hidden_layers(agent: SACAgent, batch: Batch) -> Iterator[tuple[str, NDArray]]:
    """Yield each hidden layer's name and its outputs (batch, units)."""
    observation = agent.observation_input(batch.observation)
    action = torch.as_tensor(batch.action.reshape(len(batch.action), -1), device=agent.device)
    takes_action = not agent.action_codec.is_discrete
    with no_grad():
        for name, net in named_networks(agent).items():
            is_critic = name != "policy"
            x = torch.cat([observation, action], 1) if is_critic and takes_action else observation
            for i, layer in enumerate(list(net.layers)[:-1], start=1):
                x = getattr(F, net.activation)(layer(x))
                yield f"layer {i} of the {name}", x.numpy(force=True)


def min_q(agent: SACAgent, observations: NDArray, actions: NDArray) -> NDArray:
    """Return the smallest of the networks' values (n,) of encoded observations and actions."""
    observation = agent.observation_input(observations)
    action = torch.as_tensor(actions.reshape(len(actions), -1), device=agent.device)
    values = agent.soft_q_nets.q_values(observation, action)  # (networks, n, 1)
    return values.numpy(force=True).min(axis=0)[:, 0]
