"""Several environments as one, which hides their autoreset modes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from sac.environments.closing import close
from sac.environments.explain import going_on
from sac.environments.limit import has_limit
from sac.environments.returned import checked_batch, too_large
from sac.environments.stepping.autoreset import autoreset_mode, item
from sac.environments.stepping.ray import RayEnv, RayWorkers
from sac.environments.stepping.sync import SyncSteps
from sac.environments.stepping.workers import AsyncWorkers, close_workers
from sac.environments.success import successes_of
from sac.errors import EnvironmentSetupError, NotFiniteError, WorkerLostError
from sac.seeding import integer_seed, seed_globals
from sac.spaces import ObservationEncoder, action_codec

NOT_RECORDED = "a vector environment that steps its environments itself cannot be rebuilt"


@dataclass(frozen=True, slots=True)
class Episode:
    """A finished episode of one environment."""

    episode_return: float
    length: int
    env_index: int
    truncated: bool  # ended by a limit, not by terminating
    success: bool | None = None  # None if the environment does not report it


class Step(NamedTuple):
    """The outcome of one step of all environments; the caller owns the arrays."""

    observation: np.ndarray  # (num_envs, *shape) that the policy sees next
    next_observation: np.ndarray  # (num_envs, *shape) true successor, also at an episode's end
    reward: np.ndarray  # (num_envs,) float32
    terminated: np.ndarray  # (num_envs,) bool
    truncated: np.ndarray  # (num_envs,) bool
    valid: np.ndarray  # (num_envs,) bool, False where the environment only reset
    episodes: list[Episode]  # that ended in this step


@dataclass(frozen=True, slots=True)
class Restored:
    """The episodes that could not be played again: the reasons, by environment.

    `observation` (num_envs, *shape) holds the first observations of the episodes that begin in
    their place; None if none was lost.
    """

    lost: dict[int, str]
    observation: np.ndarray | None


class VectorEnvironment:
    """A vector environment with true successors, encoded observations and episode statistics.

    `close` closes the environment if `is_owned`: one that the user made stays open. If
    `is_recorded`, a Recorder wraps each environment, so that `state` holds its episode. `remake`
    makes the same environments again, for `restart` after a WorkerLostError. `left_as_they_are`
    names, by environment, what was not brought back as it looks bound to a process.

    The first `reset` uses `seed`, and each later one a seed that follows from it: some environments
    draw their own where none is given. Environment i gets the seed plus i.
    """

    def __init__(
        self,
        env: VectorEnv,
        *,
        seed: int | None = None,
        step_timeout: float | None = None,
        is_owned: bool = True,
        is_recorded: bool = False,
        remake: Callable[[], VectorEnv] | None = None,
    ) -> None:
        self.observation_space = env.single_observation_space
        self.action_space = env.single_action_space
        self.observation_encoder = ObservationEncoder(self.observation_space)
        self.action_codec = action_codec(self.action_space)
        self.num_envs = env.num_envs
        self._remake = remake
        self.can_restart = remake is not None
        self._step_timeout = step_timeout
        self._is_owned = is_owned
        self._is_recorded = is_recorded
        self._take(env)
        self._mode = autoreset_mode(env)
        self._seed = self._first_seed = seed
        self._resets = 0  # with seeds that follow from it
        self.waits_at_ends = False  # for an evaluation, instead of resetting after an episode
        self._between: list[Any] | None = None  # snapshots, while it waits
        self.left_as_they_are: dict[int, list[str]] = {}
        self.unsaved: dict[int, list[str]] = {}  # changed, though no snapshot holds it
        self._was_reset = False
        self._is_over = np.zeros(self.num_envs, np.bool_)  # these only reset in the next step
        self._returns = np.zeros(self.num_envs, np.float64)
        self._lengths = np.zeros(self.num_envs, np.int64)

    @property
    def name(self) -> str:
        """Return the id of the environments, or their class where they have none."""
        env: Any = self._env.unwrapped if self.first is None else self.first.unwrapped
        return type(env).__name__ if env.spec is None else env.spec.id

    @property
    def actors(self) -> RayEnv:
        """Return the environments in their actors, where they are in such."""
        assert isinstance(self._env, RayEnv)
        return self._env

    @property
    def first(self) -> gymnasium.Env | None:
        """Return the first environment with its wrappers, where it is in this process."""
        env = self._env.unwrapped
        return env.envs[0] if isinstance(env, SyncVectorEnv) else None

    @property
    def innermost(self) -> list[Any]:
        """Return the environments of this process without wrappers; of others what steps them."""
        env = self._env.unwrapped
        return [one.unwrapped for one in env.envs] if isinstance(env, SyncVectorEnv) else [env]

    @property
    def is_endless(self) -> bool:
        """Return whether no limit of steps is known to end the episodes."""
        return isinstance(self._env, SyncVectorEnv) and not has_limit(self._env.envs[0])

    def _take(self, env: VectorEnv) -> None:
        self._env = env
        self._steppable: VectorEnv | AsyncWorkers | RayWorkers | SyncSteps = env
        if isinstance(env, AsyncVectorEnv):
            self._steppable = AsyncWorkers(env, self._step_timeout)
        elif isinstance(env, RayEnv):
            self._steppable = RayWorkers(env)
        elif self._is_recorded and isinstance(env, SyncVectorEnv):
            for index, recorder in enumerate(env.envs):
                recorder.index = index  # type: ignore[attr-defined]
            if SyncSteps.fits(env):
                self._steppable = SyncSteps(env)

    def reset(self, seed: int | None = None) -> np.ndarray:
        """Start new episodes everywhere and return their observations (num_envs, *shape)."""
        if seed is not None:
            self._seed, self._resets = seed, 0
        self._between = None
        observations, _ = self._seeded_reset()
        self._was_reset = True
        for array in (self._is_over, self._returns, self._lengths):
            array[:] = 0
        return self._encode(observations)

    def _seeded_reset(self, **options: Any) -> Any:
        seed = self._seed
        if seed is not None and self._resets > 0:
            seed = integer_seed(np.random.SeedSequence([seed, self._resets]))
        self._resets += 1
        if seed is not None and not self._is_recorded:
            seed_globals(seed)
        return self._steppable.reset(seed=seed, **options)

    def step(self, actions: np.ndarray) -> Step:
        """Take one action in every environment: (num_envs, *shape), in environment units."""
        result = self._steppable.step(actions)
        if not self._is_recorded:  # by a Recorder, which has checked it
            result = checked_batch(result, self.num_envs)
        observations, rewards, terminated, truncated, infos = result
        next_observation = self._encode(observations)
        try:
            with np.errstate(over="raise"):
                reward = np.array(rewards, np.float32)
        except FloatingPointError:
            raise _too_large("reward", rewards) from None
        valid = ~self._is_over
        terminated, truncated = np.asarray(terminated, np.bool_), np.asarray(truncated, np.bool_)
        if self._mode is AutoresetMode.NEXT_STEP:  # a mere reset counts for nothing
            terminated, truncated = terminated & valid, truncated & valid
            rewards = np.where(valid, rewards, 0.0)
            self._lengths[self._is_over] = -1
        ended = terminated | truncated
        has_ended = np.count_nonzero(ended) > 0  # quicker than any()
        observation = next_observation
        if self._mode is AutoresetMode.NEXT_STEP:
            self._is_over = ended
        elif has_ended and self.waits_at_ends and self._mode is AutoresetMode.DISABLED:
            self._between = self.snapshot()
        elif has_ended:
            if self._mode is AutoresetMode.SAME_STEP:
                next_observation = self._with_final(observation, infos, ended)
            else:
                observation = self._with_reset(next_observation, ended)
        self._returns += rewards
        self._lengths += 1
        episodes = self._finished(ended, terminated, infos) if has_ended else []
        return Step(observation, next_observation, reward, terminated, truncated, valid, episodes)

    def _encode(self, observations: Any) -> np.ndarray:
        encoder = self.observation_encoder
        try:
            with np.errstate(over="raise"):
                return encoder.encode_batch(observations, self.num_envs)
        except FloatingPointError:
            single = [encoder.item(observations, i) for i in range(self.num_envs)]
            raise _too_large("observation", single) from None

    def state(self) -> dict[str, Any] | None:
        """Return the episodes in progress, as JSON values and arrays; None before a reset."""
        if not self._was_reset:
            return None
        return {
            "recordings": self._recordings() if self._between is None else None,
            "between": self._between,
            "returns": self._returns.copy(),
            "lengths": self._lengths.copy(),
            "seed": self._seed,
            "resets": self._resets,
        }

    def _recordings(self) -> list[dict[str, Any] | None]:
        recordings: list[dict[str, Any] | None] = [None] * self.num_envs
        if self._env.closed and isinstance(
            self._steppable, AsyncWorkers | RayWorkers
        ):  # after a failure
            recordings = list(self._steppable.salvaged or recordings)
        elif self._is_recorded and not self._env.closed:
            recordings = self._call_each("recording")
        # If a step failed in one environment, others may have made it: it counts for none.
        for i, length in enumerate(self._lengths.tolist()):
            if (recording := recordings[i]) is not None:
                recording["actions"] = recording["actions"][:length]
                recording["checks"] = recording["checks"][: length + 1]
                if len(recording["actions"]) < length:  # already in its next episode
                    recordings[i] = None
        return recordings

    def restart(self, state: dict[str, Any] | None, number: int) -> Restored:
        """Start all workers anew, then `load_state`; `number` seeds what begins anew."""
        assert self._remake is not None
        self._take(self._remake())
        if self._first_seed is not None:
            self._seed = integer_seed(np.random.SeedSequence([self._first_seed, 0, number]))
            self._resets = 0
            state = state and {**state, "seed": self._seed, "resets": 0}
        try:
            return self.load_state(state)
        except WorkerLostError:
            if state is not None:  # for the next attempt, or a checkpoint
                assert isinstance(self._steppable, AsyncWorkers | RayWorkers)
                self._steppable.salvaged = state["recordings"]
                self._returns[:], self._lengths[:] = state["returns"], state["lengths"]
            raise

    def load_state(self, state: dict[str, Any] | None) -> Restored:
        """Play the episodes in `state` again; a new one begins in place of each that fails.

        Between two episodes, a `reset` begins the next.
        """
        if state is None:
            return Restored({}, None)
        self._seed, self._resets = state["seed"], int(state["resets"])
        with going_on(self.name):
            observation = self.reset()  # environments make some of their state only here
        self._resets = int(state["resets"])
        if state["between"] is not None:
            self._between = state["between"]
            return Restored(self._load_each("load", self._between), None)
        if not self._is_recorded:
            self._resets += 1
            return Restored(dict.fromkeys(range(self.num_envs), NOT_RECORDED), observation)
        recordings = state["recordings"]
        steps = max((len(part["checks"]) for part in recordings if part is not None), default=1)
        lost = self._load_each("rebuild", recordings, steps)
        self._returns[:], self._lengths[:] = state["returns"], state["lengths"]
        if not lost:
            return Restored({}, None)
        is_lost = np.isin(np.arange(self.num_envs), list(lost))
        self._returns[is_lost], self._lengths[is_lost] = 0.0, 0
        with going_on(self.name):
            return Restored(lost, self._with_reset(observation, is_lost))

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Play other episodes between two of this training's: the next `reset` is as without."""
        kept = self._seed, self._resets, self._between
        self.waits_at_ends = False
        yield
        self._seed, self._resets, self._between = kept
        if self._between is not None:
            self._load_each("load", self._between)

    def snapshot(self) -> list[Any] | None:
        """Return snapshots of the environments between two episodes, as such a tree."""
        return self._call_each("snapshot") if self._is_recorded and self._was_reset else None

    def load_snapshot(self, snapshot: list[Any] | None) -> dict[int, str]:
        """Load a `snapshot` before a seeded reset; return the reasons of failures."""
        if snapshot is None or not self._is_recorded:
            return {}
        with going_on(self.name):
            self.reset()
        return self._load_each("load", snapshot)

    def _load_each(self, name: str, values: list[Any], steps: int = 1) -> dict[int, str]:
        if not isinstance(values, list) or len(values) != self.num_envs:
            raise ValueError(f"expected the states of {self.num_envs} environments")
        loaded = dict(enumerate(self._call_each(name, values, steps)))
        self.left_as_they_are = {i: one["bound"] for i, one in loaded.items() if one["bound"]}
        self.unsaved = {i: one["unsaved"] for i, one in loaded.items() if one["unsaved"]}
        return {i: one["reason"] for i, one in loaded.items() if one["reason"] is not None}

    def _call_each(self, name: str, values: list[Any] | None = None, steps: int = 1) -> list[Any]:
        """Call a method of every environment's Recorder, after setting its `to_load`."""
        if isinstance(self._steppable, AsyncWorkers | RayWorkers):
            return self._steppable.call_each(name, values, steps)
        env: Any = self._env  # a SyncVectorEnv: VectorEnv itself has no such methods
        if values is not None:
            env.set_attr("to_load", values)
        return list(env.call(name))

    def close(self) -> None:
        """Close the environments and end even busy processes, unless the user owns them."""
        if not self._is_owned:
            return
        if isinstance(self._env.unwrapped, AsyncVectorEnv):
            close_workers(self._env.unwrapped)
        close(self._env)

    def _finished(
        self, ended: np.ndarray, terminated: np.ndarray, infos: dict[str, Any]
    ) -> list[Episode]:
        indices = np.flatnonzero(ended).tolist()
        episodes = [
            Episode(float(self._returns[i]), int(self._lengths[i]), i, not terminated[i], success)
            for i, success in zip(indices, successes_of(infos, indices), strict=True)
        ]
        self._returns[ended] = 0.0
        self._lengths[ended] = 0
        return episodes

    def _with_final(
        self, observation: np.ndarray, infos: dict[str, Any], ended: np.ndarray
    ) -> np.ndarray:
        """Return the observations, with the last one of each ended episode in its place."""
        if "final_obs" not in infos:
            raise EnvironmentSetupError(
                f"{self._env} resets in the step that ends an episode (SAME_STEP), so it must give "
                f"the last observation in infos['final_obs']; it gave {sorted(infos)}"
            )
        successors = observation.copy()
        for index in np.flatnonzero(ended).tolist():
            final = item(infos["final_obs"], index)
            successors[index] = self.observation_encoder.encode(final)
        return successors

    def _with_reset(self, next_observation: np.ndarray, ended: np.ndarray) -> np.ndarray:
        """Reset the ended environments, and return the observations that the policy sees next."""
        observations, _ = self._seeded_reset(options={"reset_mask": ended.copy()})
        first = self._encode(observations)
        mixed = next_observation.copy()
        mixed[ended] = first[ended]
        return mixed


def _too_large(name: str, values: Any) -> NotFiniteError:
    """Return the error for the first environment with a number that float32 can't hold."""
    words = [too_large(name, value) for value in values]
    index = next(i for i, text in enumerate(words) if text is not None)
    return NotFiniteError(
        f"environment {index}: {words[index]}", quantity=f"the {name} of environment {index}"
    )
