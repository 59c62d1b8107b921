"""The soft actor-critic agent: acting, and the update.

Source: Haarnoja et al. 2018, "Soft Actor-Critic Algorithms and Applications", arXiv:1812.05905;
for discrete actions Christodoulou 2019, arXiv:1910.07207. Both run through the one update below:
the policy knows how to take the expectation in V(s) = E_a[Q(s, a) - alpha log pi(a|s)].
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import autograd as torch
from autograd import Tensor, nn, no_grad, optim
from autograd.engine.capture import Captured
from autograd.functional.fused import discounted, half_mse, polyak_update_
from autograd.generator import from_numpy_generator
from autograd.gpu import Upload
from autograd.random import source
from sac.agent import state as agent_state
from sac.agent.loss_guard import LossGuard
from sac.agent.variants import build_parts
from sac.config import AgentConfig
from sac.device import resolve_device
from sac.errors import CheckpointError
from sac.networks import single_row as row
from sac.networks.mlp import frozen
from sac.replay.buffer import Batch
from sac.run.checkpoint import find_checkpoint, load_checkpoint
from sac.seeding import Streams, generator
from sac.spaces import ActionCodec, ObservationEncoder

Metrics = dict[str, Any]  # tensors stay tensors: their mean is taken when it is logged


class Transitions(NamedTuple):
    """A batch as the networks take it."""

    observation: Tensor  # (batch, features)
    action: Tensor  # (batch, size) in [-1, 1], or (batch, 1) int64
    reward: Tensor  # (batch, 1)
    discount: Tensor  # (batch, 1): gamma, and 0 where the episode terminated
    next_observation: Tensor  # (batch, features)


class SACAgent:
    """Soft actor-critic for one observation space and one action space."""

    def __init__(
        self,
        observation_space: Any,
        action_space: Any,
        config: AgentConfig | None = None,
        *,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        """Build networks and optimizers from `seed`; raise SpaceError for spaces not supported."""
        self.config = AgentConfig() if config is None else config
        self.observation_encoder = ObservationEncoder(observation_space)
        self.action_codec = ActionCodec(action_space)
        self.device = resolve_device(device)
        streams = Streams.from_seed(seed)
        parts = build_parts(
            self.config, self.observation_encoder, self.action_codec, streams, self.device
        )
        self.observation_input = parts.observation_input
        self.policy_net = parts.policy_net
        self._can_act_by_row = row.fits(self.policy_net.net)
        self.soft_q_nets = parts.soft_q_nets
        self.target_soft_q_nets = parts.target_soft_q_nets
        self.temperature = parts.temperature
        # Lists, not iterators: a second walk over `parameters()` would find it exhausted.
        self.soft_q_parameters = list(self.soft_q_nets.parameters())
        self.target_soft_q_parameters = list(self.target_soft_q_nets.parameters())
        self.policy_parameters = list(self.policy_net.parameters())
        self.policy_optimizer = optim.Adam(self.policy_parameters, lr=self.config.policy_lr)
        self.soft_q_optimizers = [
            optim.Adam(net.parameters(), lr=self.config.soft_q_lr) for net in self.soft_q_nets
        ]
        self._policy_step = optim.JointStep([self.policy_optimizer])
        self._soft_q_step = optim.JointStep(self.soft_q_optimizers)
        self.exploration = from_numpy_generator(generator(streams.exploration), self.device)
        self._upload = Upload(self.device) if self.device.type == "cuda" else None
        # The first update runs `_step_all`, later ones the calls of NumPy that it came to: where
        # networks are small, what lies between takes as long as they do. To step through an update
        # with a debugger, turn anomaly mode on: then it runs as it is written.
        nets = [self.policy_net, self.soft_q_nets, self.target_soft_q_nets]
        self._captured_step = Captured(self._step_all, self._learned_tensors(), nets)
        self.updates = 0
        self.loss_guard = LossGuard(
            self.optimizers(), self.device, is_deferred=self.device.type != "cpu"
        )

    # -- acting ---------------------------------------------------------------------------

    def act(self, observation: Any, deterministic: bool = False) -> NDArray[Any]:
        """Return the action for one observation, or for a batch, in the environment's own units."""
        encoder = self.observation_encoder
        n = encoder.batch_size(observation)
        if n is None:
            observations = encoder.encode(observation)[None]
        else:
            observations = encoder.encode_batch(observation, n)
        choose = self.greedy if deterministic else self.explore
        actions = self.action_codec.to_environment(choose(observations))
        if n is not None:
            return actions
        # A number of a Discrete space stays a scalar, which can index a table.
        return actions[0] if self.action_codec.is_discrete else actions[0, ...]

    def explore(self, observations: NDArray[Any]) -> NDArray[Any]:
        """Return random actions of the policy in its units for encoded observations (n, ...)."""
        return self._sample(observations, self.exploration)

    def sample(self, observations: NDArray[Any], generator: np.random.Generator) -> NDArray[Any]:
        """Return what `explore` does, with noise from another generator."""
        return self._sample(observations, from_numpy_generator(generator, self.device))

    def _sample(self, observations: NDArray[Any], noise: torch.Generator) -> NDArray[Any]:
        if self._can_act_by_row and len(observations) == 1:
            x = self.observation_input.array(observations)[0]
            action = self.policy_net.sample_row(x, source(noise))
            return action.reshape(1, *self.action_codec.shape)
        with no_grad():
            return self._actions(
                self.policy_net.sample(self.observation_input(observations), noise)
            )

    def greedy(self, observations: NDArray[Any]) -> NDArray[Any]:
        """Return the deterministic policy's actions in its own units."""
        if self._can_act_by_row and len(observations) == 1:
            action = self.policy_net.mode_row(self.observation_input.array(observations)[0])
            return action.reshape(1, *self.action_codec.shape)
        with no_grad():
            return self._actions(self.policy_net.mode(self.observation_input(observations)))

    def _actions(self, actions: Tensor) -> NDArray[Any]:
        return actions.numpy(force=True).reshape(len(actions), *self.action_codec.shape)

    def observe(self, observations: NDArray[Any]) -> None:
        """Let the running statistics of observations, where there are any, see new ones."""
        self.observation_input.observe(observations)

    # -- learning -------------------------------------------------------------------------

    def update(self, batch: Batch) -> Metrics:
        """Take one gradient step on every network and on alpha, then move the targets.

        DivergenceError, before a step on it, for a loss that is not finite; on a device it comes
        from `loss_guard.read()`.
        """
        self.loss_guard.update = self.updates + 1
        metrics = self._captured_step(*self.transitions(batch))
        self.updates += 1
        return metrics

    def _step_all(self, *parts: Tensor) -> Metrics:
        """Take the gradient steps of arXiv:1812.05905, algorithm 1, on the parts of Transitions."""
        transitions = Transitions(*parts)
        alpha = self.temperature.alpha  # of before its own step, in all losses
        metrics = self._update_soft_q_nets(transitions, alpha)
        metrics |= self._update_policy(transitions.observation, alpha)
        metrics |= self.temperature.update(metrics["entropy"])
        polyak_update_(self.target_soft_q_nets.flat, self.soft_q_nets.flat, self.config.tau)
        return metrics | {"alpha": alpha}

    def _update_soft_q_nets(self, batch: Transitions, alpha: Tensor) -> Metrics:
        """J_Q = E[1/2 (Q(s, a) - (r + gamma V(s')))^2] for each net; arXiv:1812.05905, eq. 5."""
        with no_grad():
            next_value, _ = self.policy_net.soft_value(
                batch.next_observation, self.target_soft_q_nets.min_q, alpha
            )
            target_q_value = discounted(batch.reward, batch.discount, next_value)
        assert target_q_value.shape == batch.reward.shape, target_q_value.shape
        q_values = self.soft_q_nets.q_values(
            batch.observation, batch.action
        )  # (networks, batch, 1)
        q_losses = half_mse(q_values, target_q_value)  # (networks,)
        losses = {
            f"the loss of soft Q network {i}": loss
            for i, loss in enumerate(q_losses.detach().unbind(), start=1)
        }
        self._step(self._soft_q_step, q_losses.sum(), losses)
        metrics: Metrics = {"target_q_mean": target_q_value}
        q_means = q_values.detach().unbind()
        for i, (loss, q_mean) in enumerate(zip(losses.values(), q_means, strict=True), start=1):
            metrics |= {f"q{i}_loss": loss, f"q{i}_mean": q_mean}
        return metrics

    def _update_policy(self, observation: Tensor, alpha: Tensor) -> Metrics:
        """J_pi = E[alpha log pi(a|s) - min_i Q_i(s, a)] = -E[V(s)]; arXiv:1812.05905, eq. 9."""
        with frozen(self.soft_q_parameters):
            value, entropy = self.policy_net.soft_value(observation, self.soft_q_nets.min_q, alpha)
            policy_loss = -value.mean()
            self._step(self._policy_step, policy_loss, {"the loss of the policy": policy_loss})
        return {"policy_loss": policy_loss.detach(), "entropy": entropy.detach()}

    def _step(self, joint_step: optim.JointStep, loss: Tensor, named: Mapping[str, Tensor]) -> None:
        """Step down the gradient of `loss`, the sum of the losses `named`, if those are finite."""
        for name, part in named.items():
            self.loss_guard.check(name, part.detach())
        optimizers = joint_step.optimizers
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        if self.config.max_grad_norm is not None:
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    nn.utils.clip_grad_norm_(group["params"], self.config.max_grad_norm)
        joint_step.step()

    def _learned_tensors(self) -> list[Tensor]:
        tensors: list[Tensor] = [*self.soft_q_parameters, *self.target_soft_q_parameters]
        tensors += [*self.policy_parameters, *self.temperature.parameters()]
        return tensors if self.temperature.optimizer else [*tensors, self.temperature.alpha]

    def optimizers(self) -> list[optim.Adam]:
        """Return all optimizers; that of a fixed temperature does not exist."""
        learned = [self.temperature.optimizer] if self.temperature.optimizer is not None else []
        return [*self.soft_q_optimizers, self.policy_optimizer, *learned]

    def transitions(self, batch: Batch) -> Transitions:
        """Return a batch as the networks take it."""
        scale = self.config.reward_scale
        is_placed = isinstance(batch.reward, Tensor)  # on the device already
        take = self.observation_input if is_placed else self.observation_input.array
        parts: list[Any] = [
            take(batch.observation),
            batch.action.reshape(len(batch.reward), -1),
            batch.reward if scale == 1 else batch.reward * scale,
            self.config.gamma * (1 - batch.terminated),
            take(batch.next_observation),
        ]
        if not is_placed:
            parts = self._upload(parts) if self._upload else list(map(torch.as_tensor, parts))
        return Transitions(*parts)

    # -- keeping --------------------------------------------------------------------------

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return all that learning goes on from: weights, optimizers, alpha, statistics."""
        return agent_state.full_state(self)

    def load_state_dict(self, state: dict[str, NDArray[Any]]) -> None:
        """Take over what `state_dict` returned; CheckpointError where it does not fit."""
        agent_state.load_full_state(self, state)

    def load_weights(self, state: dict[str, NDArray[Any]]) -> None:
        """Take over weights, alpha and statistics of a `state_dict`; optimizers start anew."""
        agent_state.load_weights(self, state)

    def policy_state_dict(self) -> dict[str, NDArray[Any]]:
        """Return what acting needs: the policy's weights and the statistics of observations."""
        return agent_state.policy_state(self)

    def generator_state(self) -> dict[str, Any]:
        """Return the states of the agent's own random generators, as a JSON document."""
        return agent_state.generator_state(self)

    def load_generator_state(self, state: dict[str, Any]) -> list[str]:
        """Take over what `generator_state` returned; returns what could not be, in words."""
        return agent_state.load_generator_state(self, state)

    def renew_noise(self, streams: Streams, number: int) -> None:
        """Go on with other random numbers: those of branch `number` of the seed's streams."""
        agent_state.renew_noise(self, streams, number)

    def description(self) -> dict[str, Any]:
        """Return spaces and settings as a JSON document: with the weights, all of a policy."""
        return agent_state.description(self)

    @classmethod
    def load(cls, path: str | Path, *, checkpoint: str = "best", device: str = "cpu") -> "SACAgent":
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
        agent = agent_state.described_agent(cls, loaded.documents["policy"], device, policy)
        agent_state.load_policy_state(agent, policy)
        if "agent" in names:
            agent.load_weights(loaded.tensors["agent"])
        return agent
