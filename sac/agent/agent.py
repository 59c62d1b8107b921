"""The soft actor-critic agent: the update, and what an agent is kept as.

Source: Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and Applications", arXiv:1812.05905;
for discrete actions Christodoulou 2019, arXiv:1910.07207. Both run through the one update below:
the policy knows how to take the expectation in V(s) = E_a[Q(s, a) - alpha log pi(a|s)], and the
critic knows its loss, its value and how its targets follow.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

import autograd as torch
from autograd import Tensor, nn, optim
from autograd.functional.fused import clip_row_norms_
from autograd.generator import from_numpy_generator
from autograd.gpu import Upload
from sac.agent import state
from sac.agent.acting import Actor
from sac.agent.compiling import Compilation
from sac.agent.loss_guard import LossGuard
from sac.agent.repeating import Repeater
from sac.agent.variants import build_parts
from sac.config import AgentConfig, checked_seed
from sac.critics.transitions import Metrics, Transitions
from sac.device import resolve_device
from sac.errors import CheckpointError
from sac.networks.architecture import normalize_rows_
from sac.networks.freezing import frozen
from sac.networks.optimizers import adam
from sac.networks.reward_scale import RewardScale
from sac.replay.batch import Batch
from sac.run.checkpoint import find_checkpoint, load_checkpoint
from sac.seeding import Streams, branch, generator
from sac.spaces import ObservationEncoder, action_codec


class SACAgent(Actor):
    """Soft actor-critic for one observation space and one action space.

    The first update runs as it is written, and is captured: those that follow repeat its array
    operations alone (`sac.agent.repeating`). A subclass of the agent or of what it uses (policy,
    critic, temperature, networks, optimizers) may override what it likes: then every update runs as
    it is written. A class that says `is_repeatable = True` itself is captured. It promises the same
    tensor operations in every update, with random numbers from the generators that it lists in
    `generators`, and does not count or remember. To step through an update with a debugger, turn
    anomaly mode on: then it runs as it is written.

    >>> import numpy as np
    >>> from gymnasium.spaces import Box
    >>> from sac import SACAgent
    >>> agent = SACAgent(Box(-1, 1, (3,)), Box(-2, 2, (1,)))
    >>> agent.act(np.zeros(3, np.float32), deterministic=True).shape
    (1,)
    """

    is_repeatable = True

    def __init__(
        self,
        observation_space: Any,
        action_space: Any,
        config: AgentConfig | None = None,
        *,
        seed: int = 0,
        device: str = "cpu",
        compile: str = "auto",
    ) -> None:
        """Build networks and optimizers from `seed`; raise SpaceError for spaces not supported.

        `compile`: whether updates run in compiled kernels, as `train.compile` says.
        """
        self._config = AgentConfig() if config is None else config
        self.observation_encoder = ObservationEncoder(observation_space)
        self.action_codec = action_codec(action_space)
        self.device = resolve_device(device)
        streams = Streams.from_seed(checked_seed(seed))
        parts = build_parts(
            self.config, self.observation_encoder, self.action_codec, streams, self.device
        )
        self.observation_input, self.encoder = parts.observation_input, parts.encoder
        self.reward_scale: RewardScale | None = None
        if self.config.normalize_rewards:
            self.reward_scale = RewardScale(self.config.value_bound)
        self.policy_net = parts.policy_net
        self.critic = parts.critic
        self.temperature = parts.temperature
        self.policy_optimizer: optim.Optimizer = adam(
            self.policy_net,
            self.config.policy_lr,
            self.config.adam_betas,
            self.config.weight_decay,
        )
        self.exploration = from_numpy_generator(generator(streams.exploration), self.device)
        self._upload = Upload(self.device) if self.device.type == "cuda" else None
        self.updates = 0
        self.loss_guard = LossGuard(
            self.optimizers().values(), self.device, is_deferred=self.device.type != "cpu"
        )
        self.compilation = Compilation(compile, self.device)
        self._repeater = Repeater(self.compilation)
        self._critic_repeater = Repeater(self.compilation)

    @property
    def config(self) -> AgentConfig:
        """The settings that the agent was built with."""
        return self._config

    @config.setter
    def config(self, config: AgentConfig) -> None:
        raise AttributeError(
            "the settings of a built agent stay: build another SACAgent with the new ones, and "
            "give it the weights by load_weights(agent.state_dict())"
        )

    # -- learning -------------------------------------------------------------------------

    def update(self, batch: Batch) -> Metrics:
        """Take one gradient step on every network and on alpha, then move the targets.

        Policy and alpha take one in every `agent.policy_delay` updates. DivergenceError, before a
        step on it, for a loss that is not finite; on a device it comes from `loss_guard.read()`.
        """
        self.loss_guard.update = self.updates + 1
        parts = (part for part in self.transitions(batch) if part is not None)
        is_last = (self.updates + 1) % self.config.policy_delay == 0
        learn = self._repeated() if is_last else self._repeated_critic()
        metrics = learn(*parts)
        self.updates += 1
        return metrics

    def _learn(self, *parts: Tensor) -> Metrics:
        """Take the gradient steps of arXiv:1812.05905, algorithm 1, on the parts of Transitions."""
        batch = self.encoded(Transitions(*parts))
        alpha = self.temperature.alpha  # of before its own step, in all losses
        metrics = self._critic_step(batch, alpha)
        with frozen(self.critic):
            policy_loss = self._policy_loss(batch, alpha)  # J_pi, eq. 9
            metrics |= self._step(policy_loss, self.policy_optimizer)
        normalize_rows_(self.policy_net.net)
        metrics |= self.temperature.update(metrics["entropy"])  # J_alpha, eq. 18
        self.critic.follow()
        return metrics | {"alpha": alpha}

    def _learn_critic(self, *parts: Tensor) -> Metrics:
        """Take the steps of `_learn` but those of the policy and of alpha."""
        alpha = self.temperature.alpha
        metrics = self._critic_step(self.encoded(Transitions(*parts)), alpha)
        self.critic.follow()
        return metrics | {"alpha": alpha}

    def encoded(self, batch: Transitions) -> Transitions:
        """Return a batch with what policy and critic take in place of observations."""
        now, later = self.encoder.read(batch.observation, batch.next_observation)
        return batch._replace(observation=now, next_observation=later)

    def _critic_step(self, batch: Transitions, alpha: Tensor) -> Metrics:
        critic_loss = self.critic.loss(batch, self.policy_net, alpha)  # J_Q, eq. 5
        metrics = self._step(critic_loss, self.critic.optimizer, self.encoder.optimizer)
        normalize_rows_(self.critic.soft_q_nets)
        return metrics

    def _policy_loss(self, batch: Transitions, alpha: Tensor) -> tuple[Tensor, Metrics]:
        """J_pi = E[alpha log pi(a|s) - Q(s, a)] = -E[V(s)]; arXiv:1812.05905, eq. 9."""
        value, entropy = self.policy_net.soft_value(
            batch.observation.detach(), self.critic.value, alpha, is_learning=True
        )
        loss = -value.mean()
        return loss, {"policy_loss": loss.detach(), "entropy": entropy.detach()}

    def _step(self, part: tuple[Tensor, Metrics], *optimizers: optim.Optimizer | None) -> Metrics:
        """Step down the gradient of a loss, if its metrics named *_loss are finite."""
        loss, metrics = part
        for name, value in metrics.items():
            if name.endswith("_loss"):
                self.loss_guard.check(name, value)
        used = [optimizer for optimizer in optimizers if optimizer is not None]
        for optimizer in used:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in used:
            if self.config.max_grad_norm is not None:
                self._clip(optimizer, self.config.max_grad_norm)
            optimizer.step()
        return metrics

    def _clip(self, optimizer: optim.Optimizer, max_norm: float) -> None:
        """Clip the gradients of each network to a norm."""
        if optimizer is self.encoder.optimizer:
            nn.utils.clip_grad_norm_(self.encoder.parameters(), max_norm)
            return
        for group in optimizer.param_groups:
            for parameter in group["params"]:  # a row is a network
                clip_row_norms_(parameter, max_norm)

    def anneal(self, progress: float) -> None:
        """Lower all learning rates, from 0 of a training to 1, to `agent.final_lr_fraction`."""
        fraction = self.config.final_lr_fraction
        if fraction == 1:
            return
        for optimizer in self.optimizers().values():
            for group in optimizer.param_groups:
                group["lr"] = optimizer.defaults["lr"] * (1 - (1 - fraction) * progress)

    def reset(self, streams: Streams, number: int) -> None:
        """Start anew with weights from branch `number` of the stream `network`.

        Optimizers and alpha start anew, too; statistics and generators stay. Source: Nikishin et
        al. 2022, arXiv:2205.07802.
        """
        drawn = replace(streams, network=branch(streams.network, number))
        parts = build_parts(
            self.config, self.observation_encoder, self.action_codec, drawn, self.device
        )
        for mine in ("encoder", "policy_net", "critic", "temperature"):
            getattr(self, mine).load_state_dict(getattr(parts, mine).state_dict())
        state.forget_steps(self.optimizers().values())

    @property
    def reward_factor(self) -> float:
        """What rewards are multiplied by before they are learned from."""
        scale = 1.0 if self.reward_scale is None else self.reward_scale.factor
        return self.config.reward_scale * scale

    def observe_returns(self, returns: NDArray[Any]) -> None:
        """Let the statistics of rewards, where there are any, see discounted returns (n,)."""
        if self.reward_scale is not None:
            self.reward_scale.observe(returns)

    def losses(self, batch: Batch) -> tuple[dict[str, Tensor], Metrics]:
        """Return the losses of an update on a batch with their graphs, and its metrics; no step.

        Those of the policy and of alpha are of before the critic's step. As in an update, noise is
        drawn from the agent's generators, and running statistics follow the batch.
        """
        transitions, alpha = self.encoded(self.transitions(batch)), self.temperature.alpha
        critic_loss, metrics = self.critic.loss(transitions, self.policy_net, alpha)
        with frozen(self.critic):
            policy_loss, policy_metrics = self._policy_loss(transitions, alpha)
        losses = {"critic_loss": critic_loss, "policy_loss": policy_loss}
        if self.temperature.optimizer is not None:
            losses["alpha_loss"] = self.temperature.loss(policy_metrics["entropy"])
        return losses, metrics | policy_metrics

    def _repeated(self) -> Callable[..., Metrics]:
        """Return `_learn`, or the program that repeats it."""
        return self._program(self._repeater, self._learn)

    def _repeated_critic(self) -> Callable[..., Metrics]:
        """Return `_learn_critic`, or the program that repeats it."""
        return self._program(self._critic_repeater, self._learn_critic)

    def _program(
        self, repeater: Repeater, function: Callable[..., Metrics]
    ) -> Callable[..., Metrics]:
        parts = *self._modules(), self.policy_optimizer
        constants = self.config, self.loss_guard
        return repeater.repeated(function, self, parts, constants, self._tensors)

    def _tensors(self) -> list[Tensor]:
        """Return all tensors that `_learn` knows beside the batch."""
        parts = self._modules()
        tensors: list[Tensor] = [p for part in parts for p in part.parameters()]
        tensors += [buffer for part in parts for buffer in part.buffers()]
        return tensors if self.temperature.optimizer else [*tensors, self.temperature.alpha]

    def _modules(self) -> tuple[nn.Module, ...]:
        return self.encoder, self.policy_net, self.critic, self.temperature

    def optimizers(self) -> dict[str, optim.Optimizer]:
        """Return all optimizers by name; that of a fixed temperature does not exist."""
        named: dict[str, optim.Optimizer] = {
            "policy": self.policy_optimizer,
            "critic": self.critic.optimizer,
        }
        if self.encoder.optimizer is not None:
            named["encoder"] = self.encoder.optimizer
        if self.temperature.optimizer is not None:
            named["alpha"] = self.temperature.optimizer
        return named

    def generators(self) -> dict[str, torch.Generator]:
        """Return the agent's own random generators, by the names of their streams."""
        parts = self.policy_net.generators() | self.critic.generators()
        parts |= self.encoder.generators()
        return {"exploration": self.exploration, **parts}

    def transitions(self, batch: Batch) -> Transitions:
        """Return a batch as the networks take it; ValueError for columns of another shape."""
        column = (len(batch.observation), 1)
        for name in ("reward", "discount", "weight"):
            array = getattr(batch, name)
            if array is not None and array.shape != column:
                raise ValueError(
                    f"batch.{name}: expected the shape {column}, one number for each transition, "
                    f"got {tuple(array.shape)}"
                )
        scale = self.reward_factor
        if self._upload is not None and not isinstance(batch.reward, Tensor):
            # As it is stored: bytes travel in a quarter of the time of floats.
            placed = iter(self._upload(list(batch.arrays().values())))
            batch = batch.map(lambda array: next(placed))
        is_placed = isinstance(batch.reward, Tensor)
        take = self.observation_input if is_placed else self.observation_input.array
        parts: list[Any] = [
            take(batch.observation),
            batch.action.reshape(len(batch.reward), -1),
            batch.reward if scale == 1 else batch.reward * scale,
            batch.discount,
            take(batch.next_observation),
            *([] if batch.weight is None else [batch.weight]),
        ]
        return Transitions(*(parts if is_placed else map(torch.as_tensor, parts)))

    # -- keeping --------------------------------------------------------------------------

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return all that learning goes on from: weights, optimizers, alpha, statistics."""
        return state.full_state(self)

    def load_state_dict(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what `state_dict` returned; CheckpointError where it does not fit."""
        state.load_full_state(self, arrays)

    def load_weights(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take over weights, alpha and statistics of a `state_dict`; optimizers start anew."""
        state.load_weights(self, arrays)
        state.forget_steps(self.optimizers().values())

    def policy_state_dict(self) -> dict[str, NDArray[Any]]:
        """Return what acting needs: the policy's weights and the statistics of observations."""
        return state.policy_state(self)

    def generator_state(self) -> dict[str, Any]:
        """Return the states of the agent's own random generators, as a JSON document."""
        return state.generator_state(self.generators())

    def load_generator_state(self, document: dict[str, Any]) -> list[str]:
        """Take over what `generator_state` returned; returns what could not be, in words."""
        return state.load_generator_state(self.generators(), document, self.device)

    def renew_noise(self, streams: Streams, number: int) -> None:
        """Go on with other random numbers: those of branch `number` of the seed's streams."""
        state.renew_noise(self.generators(), streams, number)

    def description(self) -> dict[str, Any]:
        """Return spaces and settings as a JSON document: with the weights, all of a policy."""
        return state.description(*self.spaces, self.config)

    @classmethod
    def load(
        cls, path: str | Path, *, checkpoint: str | int = "best", device: str = "cpu"
    ) -> "SACAgent":
        """Load a trained agent, to act or to look into, from a run directory or a checkpoint.

        `checkpoint`: best, last or a step of a run directory. CheckpointError where there is none
        or it is damaged.
        """
        loaded = load_checkpoint(find_checkpoint(path, checkpoint))
        names = set(loaded.tensors)
        if "policy" not in loaded.documents or "policy" not in names:
            raise CheckpointError(
                f"'{loaded.folder}' holds no policy: expected policy.json and policy.safetensors"
            )
        policy = loaded.tensors["policy"]
        agent = cls(*state.described(loaded.documents["policy"], policy), device=device)
        state.load_policy_state(agent, policy)
        if "agent" in names:
            agent.load_weights(loaded.tensors["agent"])
        return agent
