"""The losses of an update as autograd records them, for a drawing.

There are two recordings: one as the update makes it, and a whole one, in which the target and the
frozen networks record too. Leaves of the first get a gradient, other leaves of the second do not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd as torch
from autograd import Tensor, enable_grad, no_grad
from sac.agent.agent import SACAgent
from sac.critics.transitions import Transitions
from sac.networks.architecture import Stack
from sac.networks.freezing import frozen


@dataclass
class Recording:
    """Losses by name, and the names of their nodes and leaves."""

    losses: dict[str, Tensor] = field(default_factory=dict)
    scopes: dict[Any, str] = field(default_factory=dict)  # by node: the part that made it
    leaves: dict[int, str] = field(default_factory=dict)  # by id of the tensor
    kept: list[Tensor] = field(default_factory=list)  # so that no other tensor gets the id
    target: Tensor | None = None
    phase: str = ""  # prefix of the scopes

    def name(self, tensor: Tensor, name: str) -> None:
        """Name a leaf."""
        self.leaves[id(tensor)] = name
        self.kept.append(tensor)

    def label(self, scope: str, tensors: Iterable[Tensor]) -> None:
        """Name the part that made these tensors, and the nodes before them that have no name."""
        for tensor in tensors:
            for node in nodes_before(tensor, known=self.scopes):
                self.scopes[node] = scope


def nodes_before(tensor: Tensor, known: Iterable[Any] = ()) -> Iterator[Any]:
    """Yield the nodes that a tensor's gradient reaches, leaves too, up to the `known` ones."""
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
    """Return the ids of the leaves that a loss has gradients for."""
    return {id(node.variable) for node in nodes_before(loss) if hasattr(node, "variable")}


def twin_of(agent: SACAgent) -> SACAgent:
    """Return a new, untrained agent of the same kind."""
    return type(agent)(*agent.spaces, agent.config, device=str(agent.device))


def record_update(agent: SACAgent, batch_size: int, *, whole: bool) -> Recording:
    """Record the losses on a batch of zeros; `whole`: as if target and inputs had gradients too."""
    twin = twin_of(agent)
    recording = Recording()
    batch = _batch(twin, batch_size)
    nets = {
        "policy": twin.policy_net.net,
        "soft_q": twin.critic.soft_q_nets,
    }
    if twin.critic.has_targets:
        nets["targets/target_soft_q"] = twin.critic.target_soft_q_nets
    if whole:
        for tensor in [*batch[:-1], *(net.flat for net in nets.values())]:
            if tensor.is_floating_point():
                tensor.requires_grad_()
    _name_leaves(twin, batch, nets, recording)
    with ExitStack() as hooks:
        for scope, net in nets.items():
            hooks.enter_context(net.register_forward_hook(_labelling(recording, scope)))
        _record_losses(twin, batch, recording, whole=whole)
    for name, loss in recording.losses.items():
        recording.label(f"losses/{name}", [loss])
    return recording


def _name_leaves(
    agent: SACAgent, batch: Transitions, nets: Mapping[str, Stack], recording: Recording
) -> None:
    for name, tensor in zip(batch._fields[:-1], batch[:-1], strict=True):
        recording.name(tensor, f"batch/{name}")
    for name, net in nets.items():
        recording.name(net.flat, f"{name}/parameters")
    for scope, part in (("alpha", agent.temperature), ("encoder", agent.encoder)):
        for name, parameter in part.named_parameters():
            recording.name(parameter, f"{scope}/{name.replace('.', '/')}")


def _batch(agent: SACAgent, batch_size: int) -> Transitions:
    """Return transitions of zeros, none of them terminal, as `SACAgent.update` makes them."""
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
        # An input of a Q network that nobody has made yet is the policy's action.
        recording.label(f"{phase}policy", inputs)
        recording.label(f"{phase}{scope.removeprefix(phase)}", [output])

    return hook


def _record_losses(
    agent: SACAgent, batch: Transitions, recording: Recording, *, whole: bool
) -> None:
    """Record the losses of an update, with its gradients alone or with all (`whole`)."""
    alpha = agent.temperature.alpha.requires_grad_(whole)
    recording.name(alpha, "alpha/alpha")
    batch = _encoded(agent, batch, recording, whole=whole)
    recording.phase = "targets/"
    with enable_grad() if whole else no_grad():
        target, pair = agent.critic.target(batch, agent.policy_net, alpha)
    recording.target = target
    recording.label("targets", [target])
    recording.phase = ""
    recording.losses["critic_loss"], _ = agent.critic.error(batch, target, pair)
    with nullcontext() if whole else frozen(agent.critic):
        value, entropy = agent.policy_net.soft_value(
            batch.observation if whole else batch.observation.detach(),
            agent.critic.value,
            alpha,
            is_learning=True,
        )
        recording.losses["policy_loss"] = -value.mean()
    if agent.temperature.optimizer is not None:
        entropy = entropy if whole else entropy.detach()
        recording.losses["alpha_loss"] = agent.temperature.loss(entropy)


def _encoded(agent: SACAgent, batch: Transitions, recording: Recording, *, whole: bool) -> Any:
    """Return what `SACAgent.encoded` does, with the features of images as parts of the drawing."""
    encoded = agent.encoded(batch)
    if encoded.observation is not batch.observation:
        recording.label("encoder", [encoded.observation])
        recording.name(encoded.next_observation.requires_grad_(whole), "batch/next_features")
    return encoded
