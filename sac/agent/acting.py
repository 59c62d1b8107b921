"""From observations to actions by a policy, in the environment's units or in the policy's own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as torch
from autograd import Tensor, no_grad
from autograd.generator import from_numpy_generator
from autograd.random import source
from sac.errors import SpaceError
from sac.networks import single_row
from sac.networks.encoders import Encoder, PlainEncoder
from sac.networks.observation_input import ObservationInput
from sac.policies import Policy
from sac.spaces import ActionCodec, ObservationEncoder


class Actor:
    """What acts: a policy, with what stands between it and an environment."""

    observation_encoder: ObservationEncoder
    action_codec: ActionCodec
    observation_input: ObservationInput
    encoder: Encoder
    policy_net: Policy
    exploration: torch.Generator
    device: torch.device

    @property
    def spaces(self) -> tuple[Any, Any]:
        """The spaces of observations and of actions."""
        return self.observation_encoder.space, self.action_codec.space

    def act(self, observation: Any, deterministic: bool = False) -> NDArray[Any]:
        """Return the action for one observation, or for a batch, in the environment's own units.

        SpaceError for an observation that does not fit its space, or is not finite.
        """
        encoder = self.observation_encoder
        n = encoder.batch_size(observation)
        encoder.check_parts(observation, n)
        if n is None:
            observations = encoder.encode(observation)[None]
        else:
            observations = encoder.encode_batch(observation, n)
        _check_finite(observations)
        choose = self.greedy if deterministic else self.explore
        actions = self.action_codec.to_environment(choose(observations))
        return self.action_codec.first(actions) if n is None else actions

    def explore(self, observations: NDArray[Any]) -> NDArray[Any]:
        """Return random actions of the policy in its units for encoded observations (n, ...)."""
        return self._sample(observations, self.exploration)

    def perturb(self, observations: NDArray[Any], noise: NDArray[np.float32]) -> NDArray[Any]:
        """Return what `explore` does, by standard normal numbers (n, policy_net.noise_size)."""
        policy = self.policy_net
        if self._is_row(observations):
            row = self.observation_input.array(observations)[0]
            return policy.perturbed_row(row, noise[0]).reshape(1, *self.action_codec.shape)
        with no_grad():
            placed = torch.as_tensor(noise, device=self.device)
            return self._actions(policy.perturbed(self.features(observations), placed))

    def sample(self, observations: NDArray[Any], generator: np.random.Generator) -> NDArray[Any]:
        """Return what `explore` does, with noise from another generator."""
        return self._sample(observations, from_numpy_generator(generator, self.device))

    def greedy(self, observations: NDArray[Any]) -> NDArray[Any]:
        """Return the deterministic policy's actions in its own units."""
        if self._is_row(observations):
            row = self.observation_input.array(observations)[0]
            return self.policy_net.mode_row(row).reshape(1, *self.action_codec.shape)
        with no_grad():
            return self._actions(self.policy_net.mode(self.features(observations)))

    def observe(self, observations: NDArray[Any]) -> None:
        """Let the running statistics of observations, where there are any, see new ones."""
        self.observation_input.observe(observations)

    def features(self, observations: NDArray[Any] | Tensor) -> Tensor:
        """Return what the networks take of encoded observations (n, ...): (n, features)."""
        return self.encoder(self.observation_input(observations))

    def _sample(self, observations: NDArray[Any], noise: torch.Generator) -> NDArray[Any]:
        if self._is_row(observations):
            row = self.observation_input.array(observations)[0]
            action = self.policy_net.sample_row(row, source(noise))
            return action.reshape(1, *self.action_codec.shape)
        with no_grad():
            return self._actions(self.policy_net.sample(self.features(observations), noise))

    def _is_row(self, observations: NDArray[Any]) -> bool:
        is_plain = isinstance(self.encoder, PlainEncoder)
        return len(observations) == 1 and is_plain and single_row.fits(self.policy_net.net)

    def _actions(self, actions: Tensor) -> NDArray[Any]:
        return actions.numpy(force=True).reshape(len(actions), *self.action_codec.shape)


def _check_finite(observations: NDArray[Any]) -> None:
    """Refuse NaN and infinities: NaN actions, and the first of discrete ones, would follow."""
    if observations.dtype.kind != "f" or np.isfinite(observations).all():
        return
    row, *place = np.argwhere(~np.isfinite(observations))[0].tolist()
    raise SpaceError(
        f"expected observations of finite numbers, got {observations[(row, *place)]} at {place} of "
        f"observation {row}: no action is right for it; find where it comes from (a sensor that "
        "failed, a number beyond float32), and hold or replace it before you ask for an action"
    )
