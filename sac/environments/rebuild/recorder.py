"""A recorder of the episode in progress, from which the episode can be rebuilt."""

import contextlib
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from sac.environments.closing import close
from sac.environments.explain import how
from sac.environments.rebuild.made import read_made, unsaved
from sac.environments.rebuild.nodes import layers
from sac.environments.rebuild.snapshot import load_snapshot, take_snapshot
from sac.environments.returned import checked_reset, checked_step, unpacking_explained
from sac.environments.success import SUCCESS, success_of
from sac.errors import EnvironmentSetupError, EnvironmentStepError, told
from sac.seeding import seed_globals
from sac.spaces import action_codec

# Longer episodes are not rebuilt: their actions would fill the memory in the end.
MAX_RECORDED_STEPS = 100_000
OUTCOME = struct.Struct("<d??")  # reward, terminated, truncated


class Recorder(gymnasium.Wrapper):
    """The outermost wrapper of every environment: records the episode in progress.

    Gymnasium cannot save an environment's state. A recording holds, instead, what can be read of
    the state just before the last reset, the arguments of that reset, the actions since, and a
    checksum of every observation, reward and end, to check a rebuilt episode.

    The seed of a reset is also that of both spaces and of the generators of the process.

    The info keeps only the success of an episode: batching and sending all of it takes time in each
    step.
    """

    to_load: Any = None  # set from outside, as Gymnasium calls methods without arguments
    index: int | None = None  # among the environments of this process, for errors

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        self._space = env.observation_space  # by itself, as each wrapper would be asked for it
        # Actions of several parts are recorded as rows.
        has_parts = isinstance(env.action_space, spaces.Dict | spaces.Tuple)
        self._codec: Any = action_codec(env.action_space) if has_parts else None
        self._made = read_made(env)
        self._start: dict[str, Any] | None = None
        self._actions: list[Any] = []
        self._checks: list[int] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Reset, with an empty info."""
        snapshot = take_snapshot(self.env, self._made)
        try:
            result = self._seeded_reset(seed, options)
            observation, _ = checked_reset(result, self._space)
        except Exception as error:
            self._name(error, "in its reset")
            raise
        # A vector environment has taken out the entries of the options, which were its own.
        self._start = {"snapshot": snapshot, "seed": seed, "has_options": options is not None}
        self._actions = []
        self._checks = [checksum(observation)]
        return observation, {}

    def _seeded_reset(self, seed: int | None, options: dict[str, Any] | None) -> Any:
        if seed is None:
            return self.env.reset(seed=seed, options=options)
        seed_globals(seed)
        spaces = self._seed_spaces(seed)
        result = self.env.reset(seed=seed, options=options)
        self._seed_spaces(seed, but=spaces)  # what a reset makes anew
        return result

    def _seed_spaces(self, seed: int, but: Sequence[gymnasium.Space] = ()) -> list[gymnasium.Space]:
        """Seed the spaces that the environment may draw from, and return them."""
        seeded: list[gymnasium.Space] = []
        # Those of each layer: under a wrapper with spaces of its own are those that are drawn from.
        for layer in layers(self.env):
            for space in (layer.action_space, layer.observation_space):
                if space is None or any(space is other for other in (*but, *seeded)):
                    continue
                space.seed(seed)
                seeded.append(space)
        return [*but, *seeded]

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, with an info that holds no more than the success of an episode."""
        # A copy: the environment or its caller may change it in place.
        recorded = action.copy() if self._codec is None else self._codec.row_of(action)
        try:
            outcome = checked_step(self.env.step(action), self._space)
        except Exception as error:
            self._name(error, f"in step {len(self._actions) + 1:,} of its episode")
            raise
        observation, reward, terminated, truncated, info = outcome
        if len(self._actions) < MAX_RECORDED_STEPS:
            self._actions.append(recorded)
            packed = OUTCOME.pack(reward, terminated, truncated)
            self._checks.append(checksum(observation, zlib.crc32(packed)))
        success = success_of(info) if terminated or truncated else None
        kept = {} if success is None else {SUCCESS: success}
        return observation, reward, terminated, truncated, kept

    def close(self) -> None:
        """Close the environment; a failure is a warning, as others are still to be closed."""
        close(self.env)

    def _name(self, error: Exception, where: str) -> None:
        """Say where an error happened; a worker does not know the number of its environment."""
        if isinstance(error, gymnasium.error.DependencyNotInstalled):  # as of what it draws with
            raise EnvironmentSetupError(
                f"the environment needs a package that {how(error)}"
            ) from error
        misfit = error if isinstance(error, EnvironmentStepError) else unpacking_explained(error)
        if self.index is not None:
            error.add_note(f"In environment {self.index}, {where}.")
            if misfit is not None:  # the command line shows no notes
                misfit.args = (f"environment {self.index}: {misfit}",)
        if misfit is not None and misfit is not error:
            raise misfit from error

    def recording(self) -> dict[str, Any] | None:
        """Return a recording of the episode in progress; None without one or if it is too long."""
        if self._start is None or len(self._actions) >= MAX_RECORDED_STEPS:
            return None
        checks = np.array(self._checks, np.uint32)
        actions = np.array(self._actions)
        return {**self._start, "actions": actions, "checks": checks, "unsaved": self._unsaved()}

    def rebuild(self) -> dict[str, Any]:
        """Play the recording in `to_load` again, in an environment that was just reset.

        Returns the names of what was left as it is, since it looks bound to a process or no
        snapshot holds it, and the reason why it failed, or None; if it failed, the environment
        needs another reset.
        """
        recording, self.to_load = self.to_load, None
        if recording is None:
            return _loaded("it failed before, or its episode was too long to be recorded")
        before = take_snapshot(self.env, self._made)
        try:
            bound = load_snapshot(self.env, recording["snapshot"], self._made)
            reason = self._replay(recording)
        except Exception as error:  # whatever an environment may raise
            reason = f"rebuilding the episode failed: {told(error)}"
        if reason is None:
            return _loaded(None, bound, recording.get("unsaved", ()))
        with contextlib.suppress(Exception):  # for the reset, which half a state might not survive
            load_snapshot(self.env, before, self._made)
        return _loaded(reason)

    def _replay(self, recording: dict[str, Any]) -> str | None:
        actions, checks = recording["actions"], recording["checks"]
        if len(checks) != len(actions) + 1:
            return f"{len(actions)} actions cannot have given {len(checks)} observations"
        self.reset(seed=recording["seed"], options={} if recording["has_options"] else None)
        if self._checks[0] != checks[0]:
            return "its first observation was another"
        for step, (action, check) in enumerate(zip(actions, checks[1:], strict=True), 1):
            self.step(action if self._codec is None else self._codec.of_row(action))
            if self._checks[step] != check:
                return f"the outcome of step {step} of {len(actions)} was another"
        return None

    def snapshot(self) -> dict[str, Any] | None:
        """Return a snapshot of the environment's state; None before the first reset."""
        if self._start is None:
            return None
        return take_snapshot(self.env, self._made) | {"unsaved": self._unsaved()}

    def _unsaved(self) -> list[str]:
        try:
            return unsaved(self.env, self._made)
        except Exception:  # whatever the copying of a user's data may raise
            return []

    def load(self) -> dict[str, Any]:
        """Load the `snapshot` in `to_load` between two episodes; return what `rebuild` does."""
        snapshot, self.to_load = self.to_load, None
        try:
            bound = load_snapshot(self.env, snapshot, self._made)
            return _loaded(None, bound, snapshot.get("unsaved", ()))
        except Exception as error:  # whatever attributes of another version may raise
            return _loaded(told(error))


def _loaded(
    reason: str | None, bound: Sequence[str] = (), unsaved: Sequence[str] = ()
) -> dict[str, Any]:
    return {"reason": reason, "bound": list(bound), "unsaved": list(map(str, unsaved))}


def checksum(observation: Any, start: int = 0) -> int:
    """Return the CRC-32 of the numbers in an observation of any space, continued from `start`."""
    try:
        return zlib.crc32(observation, start)
    except (TypeError, ValueError, BufferError):  # not one array, or one with gaps
        pass
    if isinstance(observation, dict):
        observation = tuple(observation.values())
    if not isinstance(observation, tuple):
        return zlib.crc32(np.ascontiguousarray(observation).data, start)
    for item in observation:
        start = checksum(item, start)
    return start
