"""The losses of one update as autograd records them, to be drawn.

Twice: as the update records them, and in whole, that is with everything between the batch and the
losses, the target and the frozen networks too. What the first reaches gets a gradient; the rest of
the second does not. Each network is a node of its own, though an update may compute several in one.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any

import autograd as torch
from autograd import Tensor, enable_grad, nn, no_grad
from sac.networks.mlp import frozen

if TYPE_CHECKING:
    from sac.agent.agent import SACAgent


@dataclass
class Recording:
    """Losses by name, and what their nodes and leaves are called."""

    losses: dict[str, Tensor] = field(default_factory=dict)
    scopes: dict[Any, str] = field(default_factory=dict)  # of nodes: the part that made them
    leaves: dict[int, str] = field(default_factory=dict)  # by id of the tensor
    kept: list[Tensor] = field(default_factory=list)  # so that no other takes over the id
    q_values: list[Tensor] = field(default_factory=list)  # of the batch, by each network
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


def twin_of(agent: "SACAgent") -> "SACAgent":
    """Return a new agent of the same kind, untrained."""
    spaces = agent.observation_encoder.space, agent.action_codec.space
    return type(agent)(*spaces, agent.config, device=str(agent.device))


def record_update(agent: "SACAgent", batch_size: int, *, whole: bool) -> Recording:
    """Record the losses of an agent like this one on a batch of zeros.

    `whole`: the target and all inputs too, as if all of it had a gradient.
    """
    twin = twin_of(agent)
    recording = Recording()
    batch = _batch(twin, batch_size)
    if whole:
        for tensor in [*batch.values(), *twin.target_soft_q_parameters]:
            if tensor.is_floating_point():
                tensor.requires_grad_()
    for name, tensor in batch.items():
        recording.name(tensor, f"batch/{name}")
    for name, parameter in _named_parameters(twin):
        recording.name(parameter, name)
    with ExitStack() as hooks:
        for scope, net in _networks(twin).items():
            hooks.enter_context(net.net.register_forward_hook(_labelling(recording, scope)))
        record_losses(twin, batch, recording, whole=whole)
    for name, loss in recording.losses.items():
        recording.label(f"losses/{name}", [loss])
    return recording


def _batch(agent: "SACAgent", batch_size: int) -> dict[str, Tensor]:
    """Return what `SACAgent.update` makes of transitions of zeros, none of which is a last one."""
    features, codec = agent.observation_input.features, agent.action_codec
    size, dtype = (1, torch.int64) if codec.is_discrete else (math.prod(codec.shape), torch.float32)

    def zeros(width: int, dtype: Any = torch.float32) -> Tensor:
        return torch.zeros(batch_size, width, dtype=dtype, device=agent.device)

    return {
        "observation": zeros(features),
        "action": zeros(size, dtype),
        "reward": zeros(1),
        "discount": zeros(1) + agent.config.gamma,
        "next_observation": zeros(features),
    }


def _networks(agent: "SACAgent") -> dict[str, nn.Module]:
    named: dict[str, nn.Module] = {"policy": agent.policy_net}
    named |= {f"soft_q_{i}": net for i, net in enumerate(agent.soft_q_nets, start=1)}
    targets = enumerate(agent.target_soft_q_nets, start=1)
    return named | {f"targets/target_soft_q_{i}": net for i, net in targets}


def _named_parameters(agent: "SACAgent") -> Iterator[tuple[str, Tensor]]:
    for scope, net in _networks(agent).items():
        for name, parameter in net.named_parameters():
            yield f"{scope}/{name.removeprefix('net.')}", parameter
    for name, parameter in agent.temperature.named_parameters():
        yield f"alpha/{name}", parameter


def _labelling(recording: Recording, scope: str) -> Callable[..., None]:
    def hook(module: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        phase = recording.phase
        # What a Q network is given and nobody has made yet is the policy's: its action.
        recording.label(f"{phase}policy", inputs)
        recording.label(f"{phase}{scope.removeprefix(phase)}", [output])

    return hook


def record_losses(
    agent: "SACAgent", batch: Mapping[str, Tensor], recording: Recording, *, whole: bool
) -> None:
    """Record the losses of `SACAgent.update`, with gradients where they have them there, or all.

    Those of the policy and of alpha are of before the step of the soft Q networks.
    """
    alpha = agent.temperature.alpha.requires_grad_(whole)
    recording.name(alpha, "alpha/alpha")
    recording.phase = "targets/"
    with enable_grad() if whole else no_grad():
        next_value, _ = agent.policy_net.soft_value(
            batch["next_observation"], _smallest(agent.target_soft_q_nets), alpha
        )
        target = batch["reward"] + batch["discount"] * next_value
    recording.target = target
    recording.label("targets", [target])
    recording.phase = ""
    for i, net in enumerate(agent.soft_q_nets, start=1):
        q_value = _q_value(agent, net, batch)
        recording.q_values.append(q_value)
        recording.losses[f"q{i}_loss"] = 0.5 * nn.functional.mse_loss(q_value, target)
    with nullcontext() if whole else frozen(agent.soft_q_parameters):
        value, entropy = agent.policy_net.soft_value(
            batch["observation"], _smallest(agent.soft_q_nets), alpha
        )
        recording.losses["policy_loss"] = -value.mean()
    if agent.temperature.optimizer is not None:
        entropy = entropy if whole else entropy.detach()
        difference = entropy - agent.temperature.target_entropy
        recording.losses["alpha_loss"] = (agent.temperature.log_alpha * difference).mean()


def _smallest(nets: nn.ModuleList) -> Callable[..., Tensor]:
    return lambda *inputs: reduce(torch.minimum, [net(*inputs) for net in nets])


def _q_value(agent: "SACAgent", net: nn.Module, batch: Mapping[str, Tensor]) -> Tensor:
    observation, action = batch["observation"], batch["action"]
    if agent.action_codec.is_discrete:
        return torch.gather(net(observation), 1, action)
    return net(observation, action)
