"""The losses of one update as autograd records them, to be drawn.

Twice: as the update records them, and in whole, that is with everything between the batch and the
losses, the target and the frozen networks too. What the first reaches gets a gradient; the rest of
the second does not.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd as torch
from autograd import Tensor, enable_grad, no_grad
from sac.agent.agent import SACAgent
from sac.critics.transitions import Transitions
from sac.networks.freezing import frozen


@dataclass
class Recording:
    """Losses by name, and what their nodes and leaves are called."""

    losses: dict[str, Tensor] = field(default_factory=dict)
    scopes: dict[Any, str] = field(default_factory=dict)  # of nodes: the part that made them
    leaves: dict[int, str] = field(default_factory=dict)  # by id of the tensor
    kept: list[Tensor] = field(default_factory=list)  # so that no other takes over the id
    target: Tensor | None = None
    phase: str = ""  # what the names of the scopes begin with

    def name(self, tensor: Tensor, name: str) -> None:
        """Call a leaf so."""
        self.leaves[id(tensor)] = name
        self.kept.append(tensor)

    def label(self, scope: str, tensors: Iterable[Tensor]) -> None:
        """Say who made the nodes of these tensors and all before them that nobody made yet."""
        for tensor in tensors:
            for node in nodes_before(tensor, known=self.scopes):
                self.scopes[node] = scope


def nodes_before(tensor: Tensor, known: Iterable[Any] = ()) -> Iterator[Any]:
    """Yield a tensor's node and all that its gradient reaches, leaves too, but none twice.

    Where a node is `known`, the way ends.
    """
    seen = set(known)
    waiting = [tensor.grad_fn] if tensor.grad_fn is not None else []
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        yield node
        waiting += [before for before, _ in node.next_functions if before is not None]


def reached_leaves(loss: Tensor) -> set[int]:
    """Return the ids of the leaves that a loss has a gradient for."""
    return {id(node.variable) for node in nodes_before(loss) if hasattr(node, "variable")}


def twin_of(agent: SACAgent) -> SACAgent:
    """Return a new agent of the same kind, untrained."""
    spaces = agent.observation_encoder.space, agent.action_codec.space
    return type(agent)(*spaces, agent.config, device=str(agent.device))


def record_update(agent: SACAgent, batch_size: int, *, whole: bool) -> Recording:
    """Record the losses of an agent like this one on a batch of zeros.

    `whole`: the target and all inputs too, as if all of it had a gradient.
    """
    twin = twin_of(agent)
    recording = Recording()
    batch = _batch(twin, batch_size)
    nets = {
        "policy": twin.policy_net.net,
        "soft_q": twin.critic.soft_q_nets,
        "targets/target_soft_q": twin.critic.target_soft_q_nets,
    }
    if whole:
        for tensor in [*batch[:-1], nets["targets/target_soft_q"].flat]:
            if tensor.is_floating_point():
                tensor.requires_grad_()
    for name, tensor in zip(batch._fields[:-1], batch[:-1], strict=True):
        recording.name(tensor, f"batch/{name}")
    for name, net in nets.items():
        recording.name(net.flat, f"{name}/parameters")
    for name, parameter in twin.temperature.named_parameters():
        recording.name(parameter, f"alpha/{name}")
    with ExitStack() as hooks:
        for scope, net in nets.items():
            hooks.enter_context(net.register_forward_hook(_labelling(recording, scope)))
        _record_losses(twin, batch, recording, whole=whole)
    for name, loss in recording.losses.items():
        recording.label(f"losses/{name}", [loss])
    return recording


def _batch(agent: SACAgent, batch_size: int) -> Transitions:
    """Return what `SACAgent.update` makes of transitions of zeros, none of which is a last one."""
    features, codec = agent.observation_input.features, agent.action_codec

    def zeros(width: int, dtype: Any = np.float32) -> Tensor:
        return torch.as_tensor(np.zeros((batch_size, width), dtype), device=agent.device)

    return Transitions(
        observation=zeros(features),
        action=zeros(codec.size, codec.dtype),
        reward=zeros(1),
        discount=zeros(1) + agent.config.gamma,
        next_observation=zeros(features),
    )


def _labelling(recording: Recording, scope: str) -> Callable[..., None]:
    def hook(module: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        phase = recording.phase
        # What a Q network is given and nobody has made yet is the policy's: its action.
        recording.label(f"{phase}policy", inputs)
        recording.label(f"{phase}{scope.removeprefix(phase)}", [output])

    return hook


def _record_losses(
    agent: SACAgent, batch: Transitions, recording: Recording, *, whole: bool
) -> None:
    """Record the losses of an update: with gradients where they have them there, or all."""
    alpha = agent.temperature.alpha.requires_grad_(whole)
    recording.name(alpha, "alpha/alpha")
    recording.phase = "targets/"
    with enable_grad() if whole else no_grad():
        target = agent.critic.target(batch, agent.policy_net, alpha)
    recording.target = target
    recording.label("targets", [target])
    recording.phase = ""
    recording.losses["critic_loss"], _ = agent.critic.error(batch, target)
    with nullcontext() if whole else frozen(agent.critic):
        value, entropy = agent.policy_net.soft_value(batch.observation, agent.critic.value, alpha)
        recording.losses["policy_loss"] = -value.mean()
    if agent.temperature.optimizer is not None:
        entropy = entropy if whole else entropy.detach()
        recording.losses["alpha_loss"] = agent.temperature.loss(entropy)
