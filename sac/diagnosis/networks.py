"""Views into an agent's networks, which change nothing."""

from collections.abc import Iterator

from numpy.typing import NDArray

import autograd as torch
from autograd import no_grad, optim
from sac.agent.agent import SACAgent
from sac.replay.batch import Batch


def network_names(agent: SACAgent) -> list[str]:
    """Return the names of the soft Q networks for the user."""
    return [f"soft Q network {i + 1}" for i in range(agent.critic.soft_q_nets.networks)]


def steps_taken(optimizer: optim.Optimizer) -> int:
    """Return how many steps an optimizer has taken since it began, or since a reset."""
    return max((int(values["step"].item()) for values in optimizer.state.values()), default=0)


def hidden_layers(agent: SACAgent, batch: Batch) -> Iterator[tuple[str, NDArray]]:
    """Yield each hidden layer's name and its outputs (batch, units)."""
    observation = agent.features(batch.observation)
    action = torch.as_tensor(batch.action.reshape(len(batch.action), -1), device=agent.device)
    with no_grad():
        of_policy = agent.policy_net.net.hidden(observation)
        of_critic = agent.critic.hidden(observation, action)
    for i, x in enumerate(of_policy, start=1):
        yield f"layer {i} of the policy", x.numpy(force=True)
    for number, name in enumerate(network_names(agent)):
        for i, x in enumerate(of_critic, start=1):
            yield f"layer {i} of the {name}", x[number].numpy(force=True)


def min_q(agent: SACAgent, observations: NDArray, actions: NDArray) -> NDArray:
    """Return the smallest Q value (n,) of all networks for encoded observations and actions."""
    observation = agent.features(observations)
    action = torch.as_tensor(actions.reshape(len(actions), -1), device=agent.device)
    values = agent.critic.q_values(observation, action)  # (networks, n, 1)
    return values.numpy(force=True).min(axis=0)[:, 0]
