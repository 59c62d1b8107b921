"""What a replay buffer holds: as arrays to be stored, or as where it lies on the disk; and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sac.errors import CheckpointError
from sac.replay.storage.tables import DiskStorage

if TYPE_CHECKING:
    from sac.replay.buffer import ReplayBuffer

COLUMNS = ("observation", "action", "reward", "terminated", "truncated")


def state_dict(buffer: "ReplayBuffer") -> dict[str, np.ndarray]:
    """All that is stored, ring after ring, and no empty row."""
    places = buffer._ring.locate(used_rows(buffer))
    columns = {name: buffer._ring.columns[name].take(places, axis=0) for name in COLUMNS}
    next_rows = buffer._ring.columns["next_row"].take(places)
    is_aside = next_rows >= buffer._rows
    kept = buffer._aside.locate(next_rows[is_aside] - buffer._rows)
    return {
        **columns,
        "is_aside": is_aside,
        "aside_observation": buffer._aside.columns["observation"][kept],  # in the order of is_aside
        "sizes": buffer._sizes.copy(),
        "head": buffer._head.copy(),
    }


def load_state_dict(buffer: "ReplayBuffer", state: Mapping[str, np.ndarray]) -> None:
    """Replace the content by a `state_dict`; CheckpointError, and no use, if it does not fit."""
    _load_bookkeeping(buffer, state)
    rows = used_rows(buffer)
    arrays = {
        name: _checked(state, name, (len(rows), *buffer._ring.columns[name].shape[1:]), dtype)
        for name, dtype in ((name, buffer._ring.columns[name].dtype) for name in COLUMNS)
    }
    is_aside = _checked(state, "is_aside", (len(rows),), np.dtype(np.bool_))
    count = int(is_aside.sum())
    observation = arrays["observation"]
    shape = (count, *observation.shape[1:])
    aside_observation = _checked(state, "aside_observation", shape, observation.dtype)
    if np.isin(rows[is_aside], buffer._head).any():
        raise CheckpointError("the replay keeps an observation for a row without transition")
    buffer._ring.clear()
    buffer._aside.clear()
    buffer._aside.extend(max(len(buffer._aside), count))
    kept = np.arange(count)
    places = buffer._aside.claim(kept)
    buffer._aside.columns["observation"][places] = aside_observation
    next_rows = _following(buffer, rows)
    next_rows[is_aside] = buffer._rows + kept
    places = buffer._ring.claim(rows)
    for name, array in {**arrays, "next_row": next_rows}.items():
        buffer._ring.columns[name][places] = array
    _find_free_aside(buffer, kept)


def commit(buffer: "ReplayBuffer", storage: DiskStorage) -> dict[str, Any]:
    """Force its storage onto the disk and return what finds it again; OSError if that fails."""
    return {
        "tables": storage.commit(),
        "sizes": buffer._sizes.tolist(),
        "head": buffer._head.tolist(),
    }


def load(buffer: "ReplayBuffer", storage: DiskStorage, saved: Mapping[str, Any]) -> None:
    """Go on from a `commit` whose segments were checked; CheckpointError if it does not fit."""
    try:
        bookkeeping = {name: np.array(saved[name], np.int64) for name in ("sizes", "head")}
        if saved["tables"]["ring"]["rows"] != buffer._rows:
            raise CheckpointError("the replay was saved with another train.buffer_size")
        storage.load(saved["tables"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"replay.json is damaged: {error!r}") from error
    _load_bookkeeping(buffer, bookkeeping)
    _find_free_aside(buffer, _checked_next_rows(buffer))


def _checked_next_rows(buffer: "ReplayBuffer") -> np.ndarray:
    """Return the rows in use aside; CheckpointError where a next row is none."""
    rows = used_rows(buffer)
    if not buffer._ring.has(rows):
        raise CheckpointError("replay.json lacks segments that hold transitions")
    next_rows = buffer._ring.columns["next_row"].take(buffer._ring.locate(rows))
    is_aside = next_rows >= buffer._rows
    kept = next_rows[is_aside] - buffer._rows
    sound = is_aside | (next_rows == _following(buffer, rows))
    if not sound.all() or not buffer._aside.has(kept) or len(np.unique(kept)) != len(kept):
        raise CheckpointError("the replay names next observations that are not there")
    return kept


def _following(buffer: "ReplayBuffer", rows: np.ndarray) -> np.ndarray:
    """Return the row after each in its ring, and 0 for a head, which holds no transition."""
    following = rows + 1
    is_last = np.isin(rows, buffer._last)
    following[is_last] = buffer._first[np.searchsorted(buffer._last, rows[is_last])]
    following[np.isin(rows, buffer._head)] = 0
    return following


def _find_free_aside(buffer: "ReplayBuffer", kept: np.ndarray) -> None:
    is_free = np.ones(len(buffer._aside), np.bool_)
    is_free[kept] = False
    buffer._free_aside.clear()
    buffer._free_aside.extend(np.flatnonzero(is_free).tolist())


def used_rows(buffer: "ReplayBuffer") -> np.ndarray:
    """Return the rows in use: each ring's transitions and its newest next observation's row."""
    ends = buffer._first + buffer._sizes + (buffer._sizes > 0)
    return np.concatenate(
        [np.arange(first, end) for first, end in zip(buffer._first, ends, strict=True)]
    )


def _load_bookkeeping(buffer: "ReplayBuffer", state: Mapping[str, np.ndarray]) -> None:
    sizes = _checked(state, "sizes", buffer._sizes.shape, buffer._sizes.dtype)
    head = _checked(state, "head", buffer._head.shape, buffer._head.dtype)
    is_full = sizes == buffer._capacities
    in_ring = (head >= buffer._first) & (head <= buffer._last)
    sound = (sizes >= 0) & (sizes <= buffer._capacities)
    sound &= np.where(is_full, in_ring, head == buffer._first + sizes)
    if not sound.all():
        raise CheckpointError(
            "the replay does not fit this buffer: was it saved with another "
            f"train.buffer_size than {buffer.capacity}?"
        )
    buffer._sizes[:], buffer._head[:] = sizes, head
    buffer._count_stored()


def _checked(
    state: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> np.ndarray:
    """Return `state[name]`, which must have this shape and dtype."""
    if name not in state:
        raise CheckpointError(f"the replay lacks {name!r}; it has {sorted(state)}")
    array = state[name]
    if array.shape != shape or array.dtype != dtype:
        raise CheckpointError(
            f"the replay's {name}: expected {dtype} {shape}, got {array.dtype} {array.shape}"
        )
    return array
