"""Small environments that count: what they show says which environment, episode and step it is."""

import multiprocessing
import os
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.classic_control import CartPoleEnv
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

OBSERVATION_SPACE = spaces.Box(-np.inf, np.inf, (4,), np.float32)
ACTION_SPACE = spaces.Box(-2.0, 2.0, (1,), np.float32)


def episode_length(episode: int) -> int:
    """Lengths repeat as 1, 4, 2, 3; every other episode terminates, the others are truncated."""
    return (1, 4, 2, 3)[episode % 4]


def is_terminating(episode: int) -> bool:
    return episode % 2 == 0


class CountingEnv(gymnasium.Env):
    """Observes [seed, episode, step, steps in all] in one array that it reuses; reward: the step.

    The seed is that of the last reset of all environments together. The episode goes up with each
    reset, the steps in all with each real step.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, action_space: spaces.Space = ACTION_SPACE, **ignored: Any) -> None:
        self.observation_space = OBSERVATION_SPACE
        self.action_space = action_space
        self.seed = self.episode = self.step_count = self.steps_in_all = 0
        self.episode = -1
        self.actions: list[np.ndarray] = []
        self.buffer = np.zeros(4, np.float32)
        self.is_closed = False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        if seed is not None and options is None:
            self.seed = seed % 1000
        self.episode += 1
        self.step_count = 0
        return self.observe(), {"episode": self.episode}

    def step(self, action: np.ndarray) -> Any:
        assert self.action_space.contains(action), action
        self.actions.append(np.copy(action))
        self.step_count += 1
        self.steps_in_all += 1
        is_over = self.step_count >= episode_length(self.episode)
        terminated = is_over and is_terminating(self.episode)
        truncated = is_over and not terminated
        return self.observe(), float(self.step_count), terminated, truncated, {"info": "text"}

    def observe(self) -> np.ndarray:
        self.buffer[:] = self.seed, self.episode, self.step_count, self.steps_in_all
        return self.buffer

    def close(self) -> None:
        self.is_closed = True


class CopyingCountingEnv(CountingEnv):
    """Gives new arrays: Gymnasium's own SAME_STEP loses the last observation of a reused one."""

    def observe(self) -> np.ndarray:
        return super().observe().copy()


class CountingVectorEnv(VectorEnv):
    """The same environments written as a vector environment, in each autoreset mode."""

    def __init__(
        self,
        num_envs: int = 2,
        mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        final_key: str = "final_obs",
        **ignored: Any,
    ) -> None:
        self.num_envs = num_envs
        self.mode = AutoresetMode(mode)
        self.metadata = {"autoreset_mode": self.mode}
        self.final_key = final_key
        self.single_observation_space, self.single_action_space = OBSERVATION_SPACE, ACTION_SPACE
        self.observation_space = batch_space(OBSERVATION_SPACE, num_envs)
        self.action_space = batch_space(ACTION_SPACE, num_envs)
        self.envs = [CountingEnv() for _ in range(num_envs)]
        self.buffer = np.zeros((num_envs, 4), np.float32)
        self.rewards = np.zeros(num_envs)
        self.terminated = np.zeros(num_envs, np.bool_)
        self.truncated = np.zeros(num_envs, np.bool_)
        self.is_over = np.zeros(num_envs, np.bool_)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> Any:
        everywhere = np.ones(self.num_envs, np.bool_)
        mask = everywhere if options is None else options["reset_mask"]
        for i in np.flatnonzero(mask):
            own = None if seed is None else seed + int(i)
            self.buffer[i], _ = self.envs[i].reset(seed=own, options=options)
        self.is_over[mask] = False
        return self.buffer, {}

    def step(self, actions: np.ndarray) -> Any:
        final = self.buffer.copy()
        for i, env in enumerate(self.envs):
            if self.is_over[i]:
                assert self.mode is AutoresetMode.NEXT_STEP, "a step without reset"
                self.buffer[i], _ = env.reset()
                self.rewards[i], self.terminated[i], self.truncated[i] = -77.0, False, False
                self.is_over[i] = False
                continue
            result = env.step(actions[i])
            self.buffer[i], self.rewards[i], self.terminated[i], self.truncated[i], _ = result
            self.is_over[i] = self.terminated[i] or self.truncated[i]
            final[i] = self.buffer[i]
            if self.mode is AutoresetMode.SAME_STEP and self.is_over[i]:
                self.buffer[i], _ = env.reset()
                self.is_over[i] = False
        infos = {self.final_key: final} if self.mode is AutoresetMode.SAME_STEP else {}
        return self.buffer, self.rewards, self.terminated, self.truncated, infos

    def close_extras(self, **kwargs: Any) -> None:
        for env in self.envs:
            env.close()


class TimesTen(gymnasium.RewardWrapper):
    """A wrapper to name in a configuration."""

    def __init__(self, env: gymnasium.Env, offset: float = 0.0) -> None:
        super().__init__(env)
        self.offset = offset

    def reward(self, reward: Any) -> float:
        return 10.0 * float(reward) + self.offset


class BadError(Exception):
    """Cannot be rebuilt from its pickle."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


OBSERVATION_TROUBLE = {"nan observation": np.nan, "infinite observation": np.inf}
REWARD_TROUBLE = {"nan reward": np.nan, "infinite reward": -np.inf, "huge reward": 1e300}


class TroubleEnv(CopyingCountingEnv):
    """Makes the trouble named `trouble` in its third step, or in its reset or constructor."""

    def __init__(self, trouble: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.trouble = trouble
        if trouble == "constructor":
            raise RuntimeError("no such simulator")

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        if self.trouble == "reset":
            raise RuntimeError("cannot reset")
        return super().reset(seed=seed, options=options)

    def step(self, action: np.ndarray) -> Any:
        observation, reward, _, _, info = super().step(action)
        if self.steps_in_all == 3:
            self.make_trouble()
            observation = observation + np.float32(OBSERVATION_TROUBLE.get(self.trouble, 0.0))
            reward = REWARD_TROUBLE.get(self.trouble, reward)
        return observation, reward, False, False, info

    def make_trouble(self) -> None:
        match self.trouble:
            case "error":
                raise ValueError("the simulation is unstable")
            case "odd error":
                raise BadError("an error", "that no pickle brings back")
            case "unpicklable error":
                raise RuntimeError(lambda: "an argument that no pickle takes")
            case "death":
                os._exit(9)
            case "exit":
                sys.exit(7)
            case "hang":
                time.sleep(3600)

    def close(self) -> None:
        if self.trouble == "hang in close" and multiprocessing.parent_process() is not None:
            time.sleep(3600)


class DyingEnv(CopyingCountingEnv):
    """Dies or hangs in one environment's step or reset number `at`, `times` times in all.

    That is the one whose seed ends in 6. It counts that in files of `folder`, which outlive it.
    Episodes have 17 steps.
    """

    def __init__(self, folder: str, kind: str = "death", at: int = 8, times: int = 1) -> None:
        super().__init__()
        self.folder, self.kind, self.at, self.times = Path(folder), kind, at, times

    def reset(self, **keywords: Any) -> Any:
        observation = super().reset(**keywords)
        if self.kind == "death in reset" and self.episode == self.at:
            self.fail()
        return observation

    def step(self, action: np.ndarray) -> Any:
        observation, reward, _, _, info = super().step(action)
        if self.steps_in_all >= self.at and self.kind != "death in reset":
            self.fail()
        return observation, reward, False, self.step_count == 17, info

    def fail(self) -> None:
        failures = len(list(self.folder.iterdir()))
        if self.seed % 10 != 6 or failures >= self.times:
            return
        (self.folder / str(failures)).touch()
        if self.kind == "hang":
            time.sleep(3600)
        os._exit(9)


class DrawingEnv(CartPoleEnv):
    """Draws itself without a package for it: a bar where the cart is. Every episode succeeds."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012

    def step(self, action: Any) -> Any:
        *outcome, info = super().step(action)
        return (*outcome, {**info, "is_success": True})

    def render(self) -> Any:
        picture = np.full((60, 90, 3), 255, np.uint8)
        assert self.state is not None
        left = int(np.clip(45 + 10 * self.state[0], 0, 80))
        picture[30:40, left : left + 10] = 0
        return picture


COUNTING = "CountingForTests-v0"
DYING = "DyingForTests-v0"
DRAWING = "DrawingForTests-v0"
DRAWING_ENV: Any = DrawingEnv  # Gymnasium's types ask for makers that take any keyword
TROUBLE = "TroubleForTests-v0"
NATIVE = "NativeForTests-v0"

# Importing this module registers, as `tests.sac.environments_for_tests:CountingForTests-v0` does.
gymnasium.register(COUNTING, CountingEnv, disable_env_checker=True)
gymnasium.register(DYING, lambda **kwargs: DyingEnv(**kwargs), disable_env_checker=True)
gymnasium.register(DRAWING, DRAWING_ENV, disable_env_checker=True, max_episode_steps=500)
gymnasium.register(TROUBLE, TroubleEnv, disable_env_checker=True)
gymnasium.register(NATIVE, CountingEnv, vector_entry_point=CountingVectorEnv)
