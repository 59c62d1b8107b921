"""Between the policy's units, [-1, 1] or 0 to n - 1, and the environment's."""

import numpy as np
from gymnasium import Space, spaces

from sac.errors import SpaceError

# As an array: NumPy takes longer to see what a number of Python's is than to add it.
HALF, ONE = np.array(0.5), np.array(1.0)
SUPPORTED = "Discrete, or Box of float32 or float64 with finite bounds"


class ActionCodec:
    """Converts batches of actions between the policy's units and the environment's.

    Continuous (Box): float32 in [-1, 1] for the policy, the space's own dtype and bounds for the
    environment; -1 and 1 are exactly the bounds. Where both bounds are equal the policy's is 0.
    Discrete: int64 from 0 to n - 1 for the policy, with `start` added for the environment.
    SpaceError for any other space.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.is_discrete = isinstance(space, spaces.Discrete)
        if isinstance(space, spaces.Discrete):
            self.shape: tuple[int, ...] = ()
            self.dtype: np.dtype = np.dtype(np.int64)  # of policy units, as stored and learned from
            self._n, self._start = int(space.n), int(space.start)
            return
        box = _checked_box(space)
        self.shape, self.dtype = box.shape, np.dtype(np.float32)
        # Batches of one: with them NumPy's loop over a single action needs no broadcasting.
        self._low, self._high = box.low.astype(np.float64)[None], box.high.astype(np.float64)[None]
        # Halved, so that even the widest finite bounds do not overflow.
        half_width = 0.5 * self._high - 0.5 * self._low
        self._is_free = half_width > 0
        self._safe_half_width = np.where(self._is_free, half_width, 1.0)

    @property
    def n(self) -> int:
        """Number of discrete actions; AttributeError for a continuous space."""
        if not self.is_discrete:
            raise AttributeError("a continuous action space has no n")
        return self._n

    def to_environment(self, actions: np.ndarray) -> np.ndarray:
        """Return policy-unit actions (n, *shape) as the environment takes them."""
        if self.is_discrete:
            return (np.asarray(actions, np.int64) + self._start).astype(self.space.dtype)
        share = np.asarray(actions, np.float64) * HALF + HALF
        mixed = self._low * (ONE - share) + self._high * share  # exact at both ends
        inside = np.minimum(np.maximum(mixed, self._low), self._high)
        return inside.astype(self.space.dtype)

    def to_policy(self, actions: np.ndarray) -> np.ndarray:
        """Return the environment's actions (n, *shape) in policy units."""
        if self.is_discrete:
            return np.asarray(actions, np.int64) - self._start
        given = np.asarray(actions, np.float64)
        share = (0.5 * given - 0.5 * self._low) / self._safe_half_width
        units = np.where(self._is_free, 2.0 * share - 1.0, 0.0)
        return np.minimum(np.maximum(units, -1.0), 1.0).astype(np.float32)


def _checked_box(space: Space) -> spaces.Box:
    if not isinstance(space, spaces.Box) or space.dtype not in (np.float32, np.float64):
        raise SpaceError(
            f"the action space {space} is not supported: expected {SUPPORTED}; "
            "convert it with gymnasium.wrappers.TransformAction"
        )
    if space.low.size == 0:
        raise SpaceError(f"the action space {space} has no dimension to act in")
    infinite = np.argwhere(~(np.isfinite(space.low) & np.isfinite(space.high)))
    if len(infinite):
        where = ", ".join(str(tuple(int(i) for i in index)) for index in infinite[:5])
        raise SpaceError(
            f"the action space {space} has infinite bounds at {where}: the policy needs finite "
            "ones. Wrap the environment as gymnasium.wrappers.TransformAction(env, lambda "
            f"action: action, gymnasium.spaces.Box(-1.0, 1.0, {space.shape})) with bounds that "
            "suit it (ClipAction makes bounds infinite, and RescaleAction needs finite ones)"
        )
    return space
