"""Stacks of frames, of which the replay stores each frame once."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sac.errors import SpaceError


class Frames(NamedTuple):
    """How observations (size, *frame) repeat frames; see `sac.spaces.stacks`.

    A transition's depth is the number of frames of its own episode before the newest one, of those
    that its stack holds.
    """

    size: int
    padding: str  # of the places before an episode's first frame: that one (reset), or zeros (zero)

    @property
    def spare(self) -> int:
        """How many of a ring's oldest transitions are there for the frames of newer ones alone."""
        return self.size - 1

    def depth(
        self, now: NDArray, later: NDArray, expected: NDArray | None, depth_before: int
    ) -> int:
        """Return the depth of a transition from `now` to `later`.

        `expected`: the stack that the transition before led to, with its depth; None: there is
        none. SpaceError where frames stored once would not give these stacks.
        """
        if later[:-1].tobytes() != now[1:].tobytes():
            raise _wrong("the next observation does not begin with the frames of the one before")
        if expected is not None and expected.tobytes() == now.tobytes():
            return min(depth_before + 1, self.spare)
        if not self.begin(now[None])[0]:
            raise _wrong(
                "an observation neither follows from the one before nor begins an episode, whose "
                "older frames are its first one, or zeros"
            )
        return 0

    def begin(self, stacks: NDArray) -> NDArray[np.bool_]:
        """Return which stacks (n, size, *frame) can be the first ones of episodes."""
        padding = stacks[:, -1:] if self.padding == "reset" else np.zeros_like(stacks[:, -1:])
        return (stacks[:, :-1] == padding).reshape(len(stacks), -1).all(axis=1)

    def ages(self, depths: NDArray) -> NDArray[np.int64]:
        """Return how many rows before its own each frame of a stack lies, (n, size); -1: nowhere.

        `depths` (n,).
        """
        wanted = np.arange(self.spare, -1, -1)
        depths = depths.astype(np.int64)[:, None]
        if self.padding == "reset":
            return np.minimum(wanted, depths)
        return np.where(wanted <= depths, wanted, -1)


def stacked(frames: Any, rows: NDArray) -> Any:
    """Return stacks (n, size, *frame) of frames (n * size, *frame), zeros where a row is negative.

    `rows` (n, size) are those of the frames, which are an array or a tensor.
    """
    result = frames.reshape(*rows.shape, *frames.shape[1:])
    missing = rows < 0
    if missing.any():
        result[missing] = 0
    return result


def joined(older: NDArray, newest: NDArray) -> NDArray:
    """Return stacks without their oldest frame and with a new one."""
    return np.concatenate([older[:, 1:], newest[:, None]], axis=1)


def parts_of_episodes(ends: NDArray, is_end: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return ends of parts, each moved on to the end of its episode."""
    last = np.flatnonzero(is_end) + 1
    return np.append(last, len(is_end))[np.searchsorted(last, ends)]


def _wrong(what: str) -> SpaceError:
    return SpaceError(
        f"expected the stacks of FrameStackObservation, whose frames are stored once, but {what}; "
        "in env.wrappers, put it after wrappers that change observations or skip some, and around "
        "an environment that returns a new array in every step"
    )
