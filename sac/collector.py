"""From the environments into the replay: acts, steps, stores."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sac.environments import Episode, VectorEnvironment
from sac.errors import EnvironmentSetupError
from sac.replay_buffer import ReplayBuffer
from sac.seeding import generator_to_json, restore_generator

if TYPE_CHECKING:
    from sac.agent import SACAgent


@dataclass(frozen=True, slots=True)
class Collected:
    """What one step of all environments brought."""

    transitions: int
    episodes: list[Episode]


class Collector:
    """Steps the environments with the agent's actions and stores the transitions.

    `random_seed` seeds the random actions of the beginning, which come from the action space.
    """

    def __init__(
        self,
        environment: VectorEnvironment,
        agent: "SACAgent",
        replay_buffer: ReplayBuffer,
        *,
        random_seed: int,
    ) -> None:
        self._environment = environment
        self._agent = agent
        self._replay_buffer = replay_buffer
        self._action_space = environment.action_space
        self._action_space.seed(random_seed)
        self._observation: np.ndarray | None = None
        self._steps = 0

    def collect(self, *, random: bool) -> Collected:
        """Take one step in every environment, with random actions or with the agent's."""
        if self._observation is None:
            self._observation = self._environment.reset()
            self._agent.observe(self._observation)
        codec = self._agent.action_codec
        if random:
            samples = [self._action_space.sample() for _ in range(self._environment.num_envs)]
            actions = codec.to_policy(np.stack(samples))
        else:
            actions = self._agent.explore(self._observation)
        step = self._environment.step(codec.to_environment(actions))
        self._steps += 1
        self._check(step.next_observation[step.valid], step.reward[step.valid])
        self._replay_buffer.add(
            self._observation,
            actions,
            step.reward,
            step.terminated,
            step.truncated,
            step.next_observation,
            step.valid,
        )
        self._agent.observe(step.next_observation[step.valid])
        self._observation = step.observation
        return Collected(int(step.valid.sum()), step.episodes)

    def _check(self, observations: np.ndarray, rewards: np.ndarray) -> None:
        for name, values in (("observation", observations), ("reward", rewards)):
            if not np.isfinite(values).all():
                raise EnvironmentSetupError(
                    f"the environment gave a {name} that is not finite at its step {self._steps}: "
                    "nothing was stored of it; check the environment with gymnasium's env_checker"
                )

    def generator_state(self) -> dict[str, Any]:
        """Return the state of the random actions' generator, as a JSON document."""
        return generator_to_json(self._action_space.np_random)

    def load_generator_state(self, document: dict[str, Any]) -> None:
        """Continue with the random actions of a `generator_state`."""
        restore_generator(self._action_space.np_random, document)
