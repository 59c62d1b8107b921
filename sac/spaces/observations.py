"""Encoding of an environment's observations as arrays for the replay and the networks."""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

import numpy as np
from gymnasium import Space, spaces

from sac.errors import SpaceError
from sac.spaces.documents import json_key
from sac.spaces.packing import Packing
from sac.spaces.stacks import StackedBox

IMAGE_SIDE = 36  # pixels; what is smaller, or has other channels, holds codes
IMAGE_CHANNELS = (1, 3, 4)
LEAVES = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
SUPPORTED = "Box, Discrete, MultiDiscrete, MultiBinary, and Dict or Tuple of these"


class ObservationEncoder:
    """Turns observations into arrays: a Box keeps its shape, other spaces are flattened to 1-d.

    Arrays are float32, but uint8 where the space holds a Box of uint8, and no other Box; a replay
    stores what is uint8 in bytes in either case. Each is a new copy, as environments reuse their
    buffers. SpaceError for a space that is not supported.
    """

    def __init__(self, space: Space) -> None:
        _check_supported(space)
        self.space = space
        self._is_box = isinstance(space, spaces.Box)
        self._leaves = _leaves(space)
        boxes = [leaf for leaf in self._leaves if isinstance(leaf, spaces.Box)]
        is_uint8 = bool(boxes) and all(map(_is_uint8, boxes))  # beside them are ones and zeros
        self.dtype: np.dtype = np.dtype(np.uint8 if is_uint8 else np.float32)
        self.shape = tuple(space.shape or ()) if self._is_box else (spaces.flatdim(space),)
        self._is_nested = isinstance(space, spaces.Dict | spaces.Tuple)
        # Of the frames that observations stack; None: they are no stacks.
        self.padding = space.padding if isinstance(space, StackedBox) else None
        # How a replay stores rows in which some parts are bytes; None: as they are.
        self.packing = None if is_uint8 else _packing(self._leaves)

    @property
    def stored_row(self) -> tuple[tuple[int, ...], np.dtype]:
        """Shape and dtype of what a replay stores of an observation."""
        if self.packing is not None:
            return (self.packing.row_bytes,), np.dtype(np.uint8)
        return self.shape if self.padding is None else self.shape[1:], self.dtype

    def largest(self) -> np.ndarray | None:
        """Return the largest value of each feature of uint8, 0 where it is not known.

        Those of an image are brightnesses up to 255. Other spaces say less than 255, or they hold
        codes of which only a few may occur, as MiniGrid's. It is 1 for features that are not
        divided, which lie beside those of uint8 in a Dict or Tuple. None: there is no uint8.
        """
        if not any(map(_is_uint8, self._leaves)):
            return None
        return np.concatenate([_largest(leaf) for leaf in self._leaves])

    def numbers(self) -> np.ndarray:
        """Return whether each feature is a number of a Box, and no byte."""
        are_numbers = [
            isinstance(leaf, spaces.Box) and not _is_uint8(leaf) for leaf in self._leaves
        ]
        return np.repeat(are_numbers, [spaces.flatdim(leaf) for leaf in self._leaves])

    def images(self, *, is_asked_for: bool) -> list[tuple[slice, tuple[int, ...]]]:
        """Return columns and shape of each part that is an image of uint8, or a stack of these.

        `is_asked_for`: or any other Box of three or four dimensions.
        """
        found, start = list[tuple[slice, tuple[int, ...]]](), 0
        for leaf in self._leaves:
            stop, shape = start + spaces.flatdim(leaf), _with_channels(leaf)
            is_box = isinstance(leaf, spaces.Box) and len(shape) in (3, 4)
            if is_box and (is_asked_for or (_is_uint8(leaf) and _is_image(shape))):
                found.append((slice(start, stop), shape))
            start = stop
        return found

    def columns(self, key: str) -> slice:
        """Return where a part of a Dict lies in the arrays."""
        assert isinstance(self.space, spaces.Dict)
        sizes = {name: spaces.flatdim(part) for name, part in self.space.items()}
        start = sum(sizes[name] for name in takewhile(lambda name: name != key, sizes))
        return slice(start, start + sizes[key])

    def takes(self, space: Space) -> bool:
        """Return whether another space's observations become the same arrays as this one's.

        The bounds may differ, as no policy reads them, but for those that divide uint8. SpaceError
        for one that is not supported.
        """
        if self.space == space:
            return True
        other = ObservationEncoder(space)
        is_alike = other._is_box if self._is_box else type(space) is type(self.space)
        is_alike &= space.shape is not None
        is_alike &= (other.shape, other.dtype) == (self.shape, self.dtype)
        # Choices that are as many in all may be others one by one.
        is_alike &= list(map(_choices, self._leaves)) == list(map(_choices, other._leaves))
        own, others = self.largest(), other.largest()
        if own is None or others is None:
            return is_alike and own is others
        return is_alike and np.array_equal(own, others)

    def encode(self, observation: Any) -> np.ndarray:
        """Return one observation as an array of `shape`; SpaceError if it does not fit."""
        if self._is_box:
            return self._array(observation, self.shape)
        return self._flatten(observation)

    def encode_batch(self, observations: Any, num_envs: int) -> np.ndarray:
        """Return the observations of a vector environment as one array (num_envs, *shape)."""
        if self._is_box:
            return self._array(observations, (num_envs, *self.shape))
        encoded = np.empty((num_envs, *self.shape), self.dtype)
        for index in range(num_envs):
            encoded[index] = self._flatten(self.item(observations, index))
        return encoded

    def item(self, observations: Any, index: int) -> Any:
        """Return one environment's observation in the batch of a vector environment."""
        return _item(self.space, observations, index)

    def check_parts(self, observation: Any, n: int | None) -> None:
        """Raise SpaceError for what `encode` would make other numbers of, or for such a batch of n.

        Those are choices that there are not, and parts of a Dict or Tuple that lose what they hold.
        A Box it checks itself, and environments have been checked.
        """
        if self._is_box:
            return
        if n is not None:
            _check_lengths(self.space, observation, n)
        items = [observation] if n is None else (self.item(observation, i) for i in range(n))
        for each in items:
            check_observation(self.space, each)

    def batch_size(self, observation: Any) -> int | None:
        """Return the size of a batch in Gymnasium's layout, None for a single observation."""
        space, leaf = self.space, observation
        while self._is_nested and isinstance(space, spaces.Dict | spaces.Tuple):
            key: Any = next(iter(space.keys())) if isinstance(space, spaces.Dict) else 0
            try:
                space, leaf = space[key], leaf[key]
            except (KeyError, IndexError, TypeError) as error:
                raise _misfit(self.space, observation) from error
        try:
            extra_dimensions = np.ndim(leaf) - len(space.shape or ())
        except ValueError as error:  # lists of different lengths
            raise _misfit(self.space, observation) from error
        if extra_dimensions not in (0, 1):
            raise _misfit(self.space, observation)
        return len(leaf) if extra_dimensions else None

    def _array(self, value: Any, shape: tuple[int, ...]) -> np.ndarray:
        try:
            array = np.asarray(value)
            is_cast = self.dtype.kind == "f" and array.dtype.kind in "biufO"
            array = np.array(array, self.dtype if is_cast else None)
        except (TypeError, ValueError) as error:
            raise _misfit(self.space, value) from error
        _check_box(array, shape, self.dtype)
        return array.astype(self.dtype, copy=False)

    def _flatten(self, observation: Any) -> np.ndarray:
        try:
            flat = np.asarray(spaces.flatten(self.space, observation))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise _misfit(self.space, observation) from error
        return flat.astype(self.dtype)


def _choices(leaf: Space) -> list[int]:
    """Return of how many categories each choice is; none for a Box or bits."""
    match leaf:
        case spaces.Discrete():
            return [int(leaf.n)]
        case spaces.MultiDiscrete():
            return [int(n) for n in leaf.nvec.ravel()]
    return []


def _leaves(space: Space) -> list[Space]:
    """Return the parts of a space that are no Dict or Tuple, in the order of flattened features."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        parts = space.values() if isinstance(space, spaces.Dict) else space.spaces
        return [leaf for part in parts for leaf in _leaves(part)]
    return [space]


def _packing(leaves: list[Space]) -> Packing | None:
    """Return how rows with a Box of bytes are stored; None where there is none."""
    if not any(map(_is_uint8, leaves)):
        return None
    are_bytes = [_is_uint8(leaf) or not isinstance(leaf, spaces.Box) for leaf in leaves]
    return Packing([spaces.flatdim(leaf) for leaf in leaves], are_bytes)


def _is_uint8(leaf: Space) -> bool:
    return isinstance(leaf, spaces.Box) and leaf.dtype == np.uint8


def _largest(leaf: Space) -> np.ndarray:
    """Return the largest value of each feature (features,) by which it is divided, 0 if unknown."""
    if not _is_uint8(leaf):
        return np.ones(spaces.flatdim(leaf), np.float32)
    assert isinstance(leaf, spaces.Box)
    high = leaf.high.astype(np.float32).reshape(-1)
    return high if _is_image(_with_channels(leaf)) else np.where(high < 255, high, 0)


def _with_channels(leaf: Space) -> tuple[int, ...]:
    """Return a shape, with the one channel that grey frames of a stack lack."""
    shape = tuple(leaf.shape or ())
    return (*shape, 1) if isinstance(leaf, StackedBox) and len(shape) == 3 else shape


def _is_image(shape: tuple[int, ...]) -> bool:
    """Return whether a shape is that of an image, or of a stack of images (frames, *image).

    An image is (height, width, channels) or (channels, height, width).
    """
    if len(shape) == 4:
        shape = shape[1:]
    if len(shape) != 3:
        return False
    return any(
        channels in IMAGE_CHANNELS and min(sides) >= IMAGE_SIDE
        for channels, sides in ((shape[2], shape[:2]), (shape[0], shape[1:]))
    )


def check_observation(space: Space, observation: Any) -> None:
    """Raise SpaceError for an observation that lacks the shape or the kind of numbers of its space.

    Bounds of a Box are not checked: many environments leave theirs a little.
    """
    if isinstance(space, spaces.Dict):
        if not isinstance(observation, Mapping) or not observation.keys() >= space.keys():
            raise _misfit(space, observation)
        for key, part in space.items():
            check_observation(part, observation[key])
    elif isinstance(space, spaces.Tuple):
        if not isinstance(observation, tuple | list) or len(observation) != len(space.spaces):
            raise _misfit(space, observation)
        for part, value in zip(space.spaces, observation, strict=True):
            check_observation(part, value)
    else:
        _check_leaf(space, observation)


def _check_leaf(space: Space, observation: Any) -> None:
    try:
        array = np.asarray(observation)
    except ValueError as error:  # lists of different lengths
        raise _misfit(space, observation) from error
    shape = tuple(space.shape or ())
    if isinstance(space, spaces.Box):
        _check_box(array, shape, space.dtype)
        return
    is_whole = array.dtype.kind in "biu" and array.shape == shape
    if not is_whole or not space.contains(array.astype(space.dtype)):
        raise _misfit(space, observation)


def _check_box(array: np.ndarray, shape: tuple[int, ...], dtype: Any) -> None:
    """Raise SpaceError where an array has not the shape, or loses its numbers as the dtype."""
    if array.shape != shape:
        raise SpaceError(
            f"expected an observation of shape {shape}, got {array.shape}; "
            "gymnasium.wrappers.ReshapeObservation changes a shape"
        )
    if array.dtype == dtype:
        return
    is_number = array.dtype.kind in "biuf"
    if is_number and dtype.kind == "f":
        array.astype(dtype)  # a number too large raises, where the caller wants that
    elif not is_number or array.dtype.kind == "f" or (array.astype(dtype) != array).any():
        raise SpaceError(
            f"expected an observation of {dtype}, as its space declares, got {array.dtype}"
            f"{_range(array)}; declare the space of the numbers that come, such as by "
            "gymnasium.wrappers.TransformObservation with an observation_space"
        )


def _range(array: np.ndarray) -> str:
    if array.dtype.kind not in "iuf" or array.size == 0:
        return ""
    return f" from {array.min():g} to {array.max():g}"


def _check_lengths(space: Space, observations: Any, n: int) -> None:
    """Raise SpaceError for a part of a batch that has not n rows."""
    try:
        if isinstance(space, spaces.Dict):
            for key, part in space.items():
                _check_lengths(part, observations[key], n)
        elif isinstance(space, spaces.Tuple):
            for part, batch in zip(space.spaces, observations, strict=True):
                _check_lengths(part, batch, n)
        elif len(observations) != n:
            raise SpaceError(
                f"expected a batch whose parts all have {n} rows, as its first, got one of {space} "
                f"with {len(observations)}"
            )
    except (KeyError, TypeError, ValueError) as error:
        raise _misfit(space, observations) from error


def _item(space: Space, observations: Any, index: int) -> Any:
    """Return one environment's observation in a batch, where a Dict or Tuple holds batches."""
    if isinstance(space, spaces.Dict):
        return {key: _item(part, observations[key], index) for key, part in space.items()}
    if isinstance(space, spaces.Tuple):
        pairs = zip(space.spaces, observations, strict=True)
        return tuple(_item(part, batch, index) for part, batch in pairs)
    return observations[index]


def _check_supported(space: Space, name: str = "") -> None:
    """Raise SpaceError for what is not supported; `name` is that of a part, with dots."""
    parts: dict[str, Space] = {}
    if isinstance(space, spaces.Dict):
        parts = {str(json_key(key)): part for key, part in space.items()}  # saved with the agent
    elif isinstance(space, spaces.Tuple):
        parts = {str(index): part for index, part in enumerate(space.spaces)}
    what = f"the part {name} of the observation, {space}," if name else f"the observation {space}"
    leave_out = f"leave it out by env.ignore_observations: [{name}]" if name else ""
    if not isinstance(space, (*LEAVES, spaces.Dict, spaces.Tuple)):
        raise SpaceError(
            f"{what} is not supported: expected {SUPPORTED}; {leave_out and f'{leave_out}, or '}"
            "convert it with gymnasium.wrappers.TransformObservation"
        )
    for key, part in parts.items():
        _check_supported(part, f"{name}.{key}" if name else key)
    if spaces.flatdim(space) == 0:
        raise SpaceError(f"{what} holds no number: {leave_out or 'nothing to learn from'}")


def _misfit(space: Space, observation: Any) -> SpaceError:
    return SpaceError(f"expected an observation of {space}, got {observation!r:.200}")
