"""The way from environments into the replay: act, step, check, store."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from sac.agent.agent import SACAgent
from sac.agent.loss_guard import CURES
from sac.environments import Episode, Restored, Step, VectorEnvironment
from sac.errors import NotFiniteError, WorkerLostError
from sac.exploration.noise import Noise
from sac.exploration.random_actions import RandomActions
from sac.replay.buffer import ReplayBuffer
from sac.seeding import Streams, branch, integer_seed

MAX_RESTARTS = 3  # within so many transitions
RESTART_WINDOW = 1000


@dataclass(frozen=True, slots=True)
class Collected:
    """The outcome of one step of all environments."""

    transitions: int
    episodes: list[Episode]


class Collector:
    """Steps the environments with the agent's actions and stores the transitions.

    `random_actions` are taken before learning starts; then the policy's, with `noise` or, without,
    with its own. With a `discount` the agent observes the discounted
    return of each episode up to now, too.
    If an observation, reward or action is not finite, nothing of that step is stored, and a
    NotFiniteError holds it.

    If the process of an environment dies or hangs, all of them start anew: its episode ends
    truncated, and the others are played again up to where they were. `restarts` counts this over
    the run, `incidents` describes it; WorkerLostError if it happens too often.
    """

    def __init__(
        self,
        environment: VectorEnvironment,
        agent: SACAgent,
        replay_buffer: ReplayBuffer,
        *,
        random_actions: RandomActions,
        noise: Noise | None = None,
        discount: float | None = None,
    ) -> None:
        self._environment = environment
        self._agent = agent
        self._replay_buffer = replay_buffer
        self._random_actions = random_actions
        self._noise = noise
        self._observation: np.ndarray | None = None
        self._kept: dict[str, Any] | None = None  # the state, while others use the environment
        self._discount = discount
        self._returns = np.zeros(environment.num_envs)  # of the present episodes, discounted
        self._transitions = 0
        self.restarts = 0
        self.incidents: list[str] = []
        self._has_told = False  # what an evaluation changes for good
        self._recent_restarts: list[int] = []  # transitions before each of them

    @property
    def is_between_episodes(self) -> bool:
        """Return whether the next step begins with a reset."""
        return self._observation is None

    def collect(self, *, random: bool) -> Collected:
        """Take one step in every environment, with random actions or with the agent's."""
        try:
            return self._collect(random=random)
        except WorkerLostError as error:
            self._restart(error)
            return Collected(0, [])

    def _collect(self, *, random: bool) -> Collected:
        if self._observation is None:
            self._observation = self._environment.reset()
            self._check("observation", self._observation)
        observation = self._observation
        codec = self._environment.action_codec
        if random:
            actions = self._random_actions.draw()
        else:
            actions = self._explore(observation)
            self._check("action", actions)
        try:
            step = self._environment.step(codec.to_environment(actions))
        except NotFiniteError as error:
            error.evidence = {"observation": observation, "action": actions}
            raise
        return self._store(observation, actions, step)

    def _store(self, observation: np.ndarray, actions: np.ndarray, step: Step) -> Collected:
        """Check and store a step of the environments for which it is valid."""
        transitions = {
            "observation": observation,
            "action": actions,
            "reward": step.reward,
            "terminated": step.terminated,
            "truncated": step.truncated,
            "next_observation": step.next_observation,
        }
        try:
            self._check_step(step)
        except NotFiniteError as error:
            error.evidence = transitions
            raise
        self._replay_buffer.add(**transitions, valid=step.valid)
        count = int(np.count_nonzero(step.valid))
        self._agent.observe(observation if count == len(observation) else observation[step.valid])
        # Where an environment only reset, no noise and no action was for its new episode.
        self._end(step.terminated | step.truncated | ~step.valid)
        if self._discount is not None:
            self._observe_returns(step, self._discount)
        self._observation = step.observation
        if self._environment.waits_at_ends and step.episodes:
            self._observation = None  # the next episode begins with a reset
        self._transitions += count
        return Collected(count, step.episodes)

    def _explore(self, observation: np.ndarray) -> np.ndarray:
        if self._noise is None:
            return self._agent.explore(observation)
        return self._agent.perturb(observation, self._noise.draw())

    def _end(self, ended: np.ndarray) -> None:
        """Let the exploration of new episodes begin anew."""
        self._random_actions.end(ended)
        if self._noise is not None:
            self._noise.end(ended)

    def _observe_returns(self, step: Step, discount: float) -> None:
        self._returns = step.reward + discount * self._returns
        self._agent.observe_returns(self._returns[step.valid])
        self._returns[step.terminated | step.truncated | ~step.valid] = 0

    def state(self) -> dict[str, Any]:
        """Return all that collecting needs to continue, as a tree of JSON values and arrays."""
        if self._kept is not None:
            return self._kept
        try:
            environment = self._environment.state()
        except WorkerLostError as error:
            self._restart(error)
            environment = self._environment.state()
        return {
            "random_actions": self._random_actions.state(),
            "noise": None if self._noise is None else self._noise.state(),
            "observation": self._observation,
            "returns": self._returns,
            "transitions": self._transitions,
            "restarts": self.restarts,
            "environment": environment,
        }

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Lend the environment to an evaluation; the `state` stays that of before.

        Between two episodes, collecting goes on as if nothing had been played. In the middle of
        one it can't: then a training must be at its end, and only a resumed one plays on.
        """
        self._kept = self.state()
        with self._environment.lent():
            yield
        if not self._has_told:
            self.incidents += unsaved_notes(self._environment)
            self._has_told = bool(self._environment.unsaved)
        if self._observation is None:
            self._kept = None

    def load_state(self, state: dict[str, Any]) -> dict[int, str]:
        """Continue from a `state` with new environments and the replay of that time.

        Returns the reason for each environment whose episode could not be played again: it ends
        there, truncated, and a new one begins.
        """
        self._random_actions.load_state(state["random_actions"])
        if self._noise is not None:
            self._noise.load_state(state["noise"])
        self._returns = np.array(state.get("returns", self._returns), np.float64)
        self._transitions = int(state["transitions"])
        self.restarts = int(state["restarts"])
        self._observation = self._checked(state["observation"])
        restored = self._environment.load_state(state["environment"])
        self._end_lost_episodes(restored, state["environment"])
        return restored.lost

    def _end_lost_episodes(self, restored: Restored, state: dict[str, Any] | None) -> None:
        if restored.observation is not None and self._observation is not None:
            assert state is not None
            lost = list(restored.lost)
            self._returns[lost] = 0
            self._observation = self._observation.copy()  # others may keep the old one
            self._observation[lost] = restored.observation[lost]
            self._replay_buffer.truncate([i for i in lost if state["lengths"][i] > 0])
            self._end(np.isin(np.arange(len(self._observation)), lost))

    def _restart(self, error: WorkerLostError) -> None:
        if not self._environment.can_restart:
            raise error
        state = self._environment.state()
        while True:
            self._count_restart(error)
            try:
                restored = self._environment.restart(state, self.restarts)
            except WorkerLostError as again:
                self.incidents.append(f"{error}. Started anew, where it happened again")
                error = again
            else:
                break
        self._end_lost_episodes(restored, state)
        ended = "".join(f"; the episode of environment {i} ends truncated" for i in restored.lost)
        bound = "".join(
            f"; {', '.join(names)} of environment {i} not brought back, as bound to its process"
            for i, names in self._environment.left_as_they_are.items()
        )
        self.incidents.append(f"{error}. Started anew{ended}{bound}")

    def _count_restart(self, error: WorkerLostError) -> None:
        """Count one more restart; raise if there were too many recently."""
        since = self._transitions - RESTART_WINDOW
        self._recent_restarts = [at for at in self._recent_restarts if at > since]
        if len(self._recent_restarts) >= MAX_RESTARTS:
            raise WorkerLostError(
                f"{error}. That was the {MAX_RESTARTS + 1}th time within {RESTART_WINDOW:,} "
                "transitions, after which a training stops"
            ) from error
        self._recent_restarts.append(self._transitions)
        self.restarts += 1

    def measured(self, seconds: float) -> dict[str, float]:
        """Return numbers to log of the last so many seconds."""
        return {}

    def renew_noise(self, streams: Streams, number: int) -> None:
        """Continue with branch `number` of the streams that exploration began with."""
        self._random_actions.reseed(integer_seed(branch(streams.random_actions, number)))
        if self._noise is not None:
            self._noise.reseed(branch(streams.noise, number))

    def _checked(self, observation: Any) -> np.ndarray | None:
        if observation is None:
            return None
        encoder, num_envs = self._environment.observation_encoder, self._environment.num_envs
        expected = np.empty((num_envs, *encoder.shape), encoder.dtype)
        if (observation.shape, observation.dtype) != (expected.shape, expected.dtype):
            raise ValueError(f"expected observations {expected.shape}, got {observation.shape}")
        return observation.copy()

    def _check_step(self, step: Step) -> None:
        self._check("reward", step.reward)
        self._check("observation", step.next_observation)
        if step.observation is not step.next_observation:
            self._check("observation", step.observation)

    def _check(self, name: str, values: np.ndarray) -> None:
        is_finite = np.isfinite(values)
        if np.count_nonzero(is_finite) == is_finite.size:  # quicker than all()
            return
        index = int(np.argwhere(~is_finite)[0, 0])
        when = f"after {self._transitions} transitions since the start"
        value = values[index].ravel()[~is_finite[index].ravel()][0]
        quantity = f"the {name} of environment {index}"
        if name == "action":
            raise NotFiniteError(
                f"the policy gave the action {value} to environment {index} {when}: the training "
                f"diverged; {CURES}",
                quantity=quantity,
                evidence={"observation": self._observation, "action": values},
            )
        raise NotFiniteError(
            f"environment {index} gave the {name} {value} {when}: nothing of that step was stored; "
            "gymnasium.utils.env_checker finds where an environment goes wrong",
            quantity=quantity,
            evidence={name: values},
        )


def unsaved_notes(environment: VectorEnvironment) -> list[str]:
    """Return, in words for the user, what could not be brought back, as no snapshot holds it."""
    return [
        f"environment {index}: {', '.join(names)}: changed since construction, but too large or of "
        "a kind that can't be brought back; what its episodes take from it may be other than before"
        for index, names in environment.unsaved.items()
    ]
