"""Collection by actors that play by themselves, with weights that lag behind (env.max_lag).

Each actor holds an environment and a copy of the policy. The learner sends it weights and a number
of steps to take; what comes back waits here, in the order of its environment, until it is stored.
It is stored only while no actor plays with weights that would become older than `max_lag` updates.
"""

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from sac.agent.agent import SACAgent
from sac.agent.state import load_policy_state
from sac.config import Config
from sac.environments import Episode, Step
from sac.environments.make import around
from sac.environments.stepping.ray import STARTING_SECONDS, told
from sac.errors import EnvironmentStepError, NotFiniteError, SACError, WorkerLostError
from sac.exploration.noise import noise_for
from sac.exploration.random_actions import RandomActions
from sac.seeding import Streams, branch, integer_seed
from sac.training.collector import RESTART_WINDOW, Collected, Collector

LONGEST_PLAY = 64  # steps; longer ones save nothing more
PATIENCE_SECONDS = 0.5  # that collecting waits before the loop may look at signals
MOST_LOSSES = 6  # of one environment's actor, within RESTART_WINDOW transitions
NOT_KEPT = "an actor plays it by itself (env.max_lag), and what it has not sent is not kept"


class Played(NamedTuple):
    """A transition of one environment, with the episode that it ended."""

    observation: np.ndarray
    action: np.ndarray
    reward: float
    terminated: bool
    truncated: bool
    next_observation: np.ndarray
    episode: Episode | None


class _Sink:
    """Takes a collector's transitions in the replay's place."""

    def __init__(self) -> None:
        self.columns: dict[str, np.ndarray] = {}

    def add(self, **columns: np.ndarray) -> None:
        self.columns = columns

    def truncate(self, envs: Sequence[int]) -> None: ...


class Player:
    """Plays one environment by the policy that it is sent: what an actor calls."""

    def __init__(self, env: Any, text: str, number: int) -> None:
        """`text`: the configuration in YAML; `number`: which branch of its random streams."""
        config = Config.from_yaml(text)
        streams = Streams.from_seed(config.seed)
        environment = around(env, integer_seed(branch(streams.train_env, number)))
        spaces = environment.observation_space, environment.action_space
        self._agent = SACAgent(*spaces, config.agent, seed=config.seed, compile="never")
        self._agent.renew_noise(streams, number)
        random_actions = RandomActions(
            self._agent.action_codec,
            1,
            config.train.random_action_repeat,
            integer_seed(branch(streams.random_actions, number)),
        )
        size = self._agent.policy_net.noise_size
        noise = noise_for(
            config.train.noise, 1, size, branch(streams.noise, number), config.train.noise_steps
        )
        self._sink = _Sink()
        sink: Any = self._sink  # what a collector asks of a replay
        self._collector = Collector(
            environment, self._agent, sink, random_actions=random_actions, noise=noise
        )

    def __call__(self, weights: dict[str, np.ndarray], steps: int, random: bool) -> list[Played]:
        """Take so many steps by a policy's weights, or by random actions."""
        load_policy_state(self._agent, weights)
        played = []
        for _ in range(steps):
            collected = self._collector.collect(random=random)
            row = {name: array[0] for name, array in self._sink.columns.items() if name != "valid"}
            played.append(Played(**row, episode=next(iter(collected.episodes), None)))
        return played


@dataclass(frozen=True)
class _Play:
    """What an actor was asked for."""

    index: int  # of the environment
    updates: float  # that its weights had seen; infinite: it makes its player only
    until: float  # when it counts as hung


class ActorCollector(Collector):
    """Collects what actors play, as `Collector` does what it plays itself.

    An actor that is lost is started anew: its episode ends truncated. WorkerLostError if it happens
    to one too often.
    """

    def begin(self, config: Config) -> None:
        """Give every actor its player."""
        environment = self._environment
        self._actors = environment.actors
        self._text = config.to_yaml()
        self._max_lag, self._updates_per_step = config.env.max_lag, config.train.updates_per_step
        share = self._max_lag / max(1e-9, 2 * self._updates_per_step * environment.num_envs)
        self._steps = max(1, min(LONGEST_PLAY, math.floor(share)))
        self._plays: dict[Any, _Play] = {}  # by the references of what is to come
        self._waiting: list[deque[tuple[Played, float]]] = [
            deque() for _ in range(environment.num_envs)
        ]
        self._weights: tuple[int, Any] = (-1, None)  # updates, and a reference
        self._lags: list[float] = []
        self._waited = 0.0
        self._generation = 0
        self._losses: list[list[int]] = [[] for _ in range(environment.num_envs)]  # transitions
        self._resting: dict[int, float] = {}  # until when, of the environments whose actor is lost
        self._install(range(environment.num_envs))

    def _install(self, indices: Sequence[int]) -> None:
        """Let actors begin with random numbers that none has had."""
        self._plays = {key: play for key, play in self._plays.items() if play.index not in indices}
        until = time.monotonic() + STARTING_SECONDS
        for index in indices:
            number = 1 + self._generation * self._environment.num_envs + index
            made = self._actors.actors[index].install.remote(Player, self._text, number)
            self._plays[made] = _Play(index, math.inf, until)

    def _collect(self, *, random: bool) -> Collected:
        until = time.monotonic() + PATIENCE_SECONDS
        self._ask(random=random)
        while not self._may_store():
            begun = time.monotonic()
            if begun >= until:
                return Collected(0, [])
            self._hear(until - begun)
            self._waited += time.monotonic() - begun
            self._ask(random=random)
        return self._stored()

    def _ask(self, *, random: bool) -> None:
        """Let every actor play that has nothing to do, where little of it waits."""
        for index, at in list(self._resting.items()):
            if time.monotonic() >= at:
                del self._resting[index]
                self._generation += 1
                self._actors.start_again(index)
                self._install([index])
        updates = self._agent.updates
        busy = {play.index for play in self._plays.values()} | self._resting.keys()
        for index, actor in enumerate(self._actors.actors):
            if index in busy or len(self._waiting[index]) >= self._steps:
                continue
            if self._weights[0] != updates:
                self._weights = updates, self._actors.put(self._agent.policy_state_dict())
            reference = actor.play.remote(self._weights[1], self._steps, random)
            limit = math.inf if self._actors.timeout is None else self._actors.timeout * self._steps
            self._plays[reference] = _Play(index, updates, time.monotonic() + limit)

    def _may_store(self) -> bool:
        """Return whether there is something, and no weights become too old by its updates."""
        count = sum(map(bool, self._waiting))
        oldest = min((play.updates for play in self._plays.values()), default=self._agent.updates)
        updates = self._agent.updates + math.ceil(count * self._updates_per_step)
        return count > 0 and updates - oldest <= self._max_lag

    def _hear(self, seconds: float) -> None:
        """Wait for an actor, and take what it has played."""
        if not self._plays:
            time.sleep(min(seconds, PATIENCE_SECONDS))
            return
        for reference in self._actors.finished(list(self._plays), seconds):
            play = self._plays.pop(reference)
            try:
                played = self._actors.get(reference)
            except Exception as error:
                self._lose(play, error)
                continue
            self._waiting[play.index] += [(one, play.updates) for one in played or ()]
        now = time.monotonic()
        for reference, play in list(self._plays.items()):
            if now > play.until:
                del self._plays[reference]
                limit = f"longer than env.step_timeout, {self._actors.timeout} seconds a step"
                words = "too long to start" if math.isinf(play.updates) else limit
                self._lose(play, TimeoutError(f"it took {words}"))

    def _lose(self, play: _Play, error: Exception) -> None:
        """Start a lost actor anew; raise what an environment has raised."""
        index = play.index
        if not isinstance(error, TimeoutError) and not self._actors.is_loss(error):
            raise _raised(index, getattr(error, "cause", error)) from error
        lost = WorkerLostError(f"the Ray actor of environment {index} is lost: {told(error)}")
        losses = [at for at in self._losses[index] if at > self._transitions - RESTART_WINDOW]
        if len(losses) >= MOST_LOSSES:
            raise WorkerLostError(
                f"{lost}. That was the {MOST_LOSSES + 1}th time within {RESTART_WINDOW:,} "
                "transitions, after which a training stops"
            ) from error
        self._losses[index] = [*losses, self._transitions]
        # A node is known to be gone only after some seconds: until then, it may be chosen again.
        self._resting[index] = time.monotonic() + 2 ** len(losses) - 1
        self.restarts += 1
        self._waiting[index].clear()
        self._replay_buffer.truncate([index])
        self._returns[index] = 0
        self.incidents.append(f"{lost}. Started anew; its episode ends truncated")

    def _restart(self, error: WorkerLostError) -> None:
        """Raise it: each lost actor has been started anew by itself."""
        raise error

    def _stored(self) -> Collected:
        """Store the oldest transition that waits of every environment."""
        valid = np.array([bool(waiting) for waiting in self._waiting])
        taken = {i: self._waiting[i].popleft() for i in np.flatnonzero(valid).tolist()}
        self._lags += [self._agent.updates - updates for _, updates in taken.values()]
        like = next(iter(taken.values()))[0]
        rows = [taken[i][0] if i in taken else _nothing(like) for i in range(len(valid))]
        episodes = [replace(row.episode, env_index=i) for i, row in enumerate(rows) if row.episode]
        step = Step(
            observation=np.stack([row.next_observation for row in rows]),
            next_observation=np.stack([row.next_observation for row in rows]),
            reward=np.array([row.reward for row in rows], np.float32),
            terminated=np.array([row.terminated for row in rows], np.bool_),
            truncated=np.array([row.truncated for row in rows], np.bool_),
            valid=valid,
            episodes=episodes,
        )
        observation = np.stack([row.observation for row in rows])
        return self._store(observation, np.stack([row.action for row in rows]), step)

    def _observe_returns(self, step: Step, discount: float) -> None:
        grown = step.reward + discount * self._returns
        self._returns = np.where(step.valid, grown, self._returns)
        self._agent.observe_returns(self._returns[step.valid])
        self._returns[step.terminated | step.truncated] = 0

    def measured(self, seconds: float) -> dict[str, float]:
        """Return the mean lag, in updates, and the share of time that learning has waited."""
        lag = float(np.mean(self._lags)) if self._lags else 0.0
        share = self._waited / seconds
        self._lags.clear()
        self._waited = 0.0
        return {"rollout/policy_lag": lag, "time/waiting": share}

    def state(self) -> dict[str, Any]:
        """Return what is kept: no open episode, and none of the actors' random numbers."""
        return {
            "environment": None,
            "returns": self._returns,
            "transitions": self._transitions,
            "restarts": self.restarts,
            "generation": self._generation + 1,
        }

    def load_state(self, state: dict[str, Any]) -> dict[int, str]:
        """Continue from a `state`: open episodes end truncated, and new ones begin."""
        self._transitions, self.restarts = int(state["transitions"]), int(state["restarts"])
        self._generation = int(state["generation"])
        everyone = range(self._environment.num_envs)
        self._install(everyone)
        self._replay_buffer.truncate(everyone)
        return dict.fromkeys(everyone, NOT_KEPT)

    def renew_noise(self, streams: Streams, number: int) -> None:
        """Let actors begin with other random numbers."""
        self._generation += 1
        self._install(range(self._environment.num_envs))


def _raised(index: int, cause: Exception) -> SACError:
    """Return what an environment raised, by its number here: alone in its actor, it is number 0."""
    if not isinstance(cause, SACError):
        return EnvironmentStepError(f"environment {index} raised {type(cause).__name__}: {cause}")
    cause.args = (str(cause).replace("environment 0", f"environment {index}"),)
    if isinstance(cause, NotFiniteError):
        cause.quantity = cause.quantity.replace("environment 0", f"environment {index}")
    return cause


def _nothing(like: Played) -> Played:
    """Return a transition of zeros, for an environment of which none is there."""
    return Played(
        np.zeros_like(like.observation), np.zeros_like(like.action), 0.0, False, False,
        np.zeros_like(like.next_observation), None,
    )  # fmt: skip
