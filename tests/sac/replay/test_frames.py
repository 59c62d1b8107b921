"""Frames that are stored once, against a replay that stores whole stacks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as torch
from sac.errors import ConfigError, SpaceError
from sac.replay.buffer import ReplayBuffer
from sac.replay.demonstrations import Steps, fill
from sac.replay.frames import Frames
from sac.replay.storage.disk import DiskStorage
from tests.sac.replay.test_buffer import EveryIndex, make_buffer
from tests.sac.replay.test_gpu_mirror import assert_same

FRAME = (2,)
OUTCOMES = ["on", "on", "on", "on", "same", "terminated", "truncated", "invalid"]
COLUMNS = ("observation", "action", "reward", "discount", "next_observation")


class StackedWorlds:
    """Environments whose frames are numbers, stacked as Gymnasium's wrapper does."""

    def __init__(self, num_envs: int, size: int, padding: str) -> None:
        self.size, self.padding = size, padding
        self.count = 0.0
        self.stacks = [self.started() for _ in range(num_envs)]
        self.is_over = [False] * num_envs

    def frame(self) -> np.ndarray:
        self.count += 1.0
        return np.array([self.count, -self.count], np.float32)

    def started(self) -> np.ndarray:
        first = self.frame()
        older = first if self.padding == "reset" else np.zeros_like(first)
        return np.stack([*[older] * (self.size - 1), first])

    def step(self, outcomes: list[str]) -> list[Any]:
        """Return the columns of a vector step."""
        rows = []
        for env, outcome in enumerate(outcomes):
            now = self.stacks[env]
            newest = now[-1] if outcome == "same" else self.frame()
            later = np.concatenate([now[1:], newest[None]])
            is_valid = not (self.is_over[env] or outcome == "invalid")
            ended = outcome in ("terminated", "truncated")
            begins = ended or self.is_over[env]  # where a step resets alone, it is not valid
            self.is_over[env] = ended and not self.is_over[env] and int(self.count) % 2 == 0
            self.stacks[env] = self.started() if begins else later if is_valid else now
            action, reward = self.frame()[:1], self.count
            rows.append(
                (now, action, reward, outcome == "terminated", outcome == "truncated", later,
                 is_valid)
            )  # fmt: skip
        return [np.array(column) for column in zip(*rows, strict=True)]


def buffers(capacity: int, num_envs: int, size: int, padding: str, **keys: Any) -> Any:
    whole = make_buffer(capacity, num_envs, observation_shape=(size, *FRAME), **keys)
    storage = keys.pop("storage", None)
    once = make_buffer(
        capacity, num_envs, observation_shape=(size, *FRAME), frames=Frames(size, padding),
        storage=storage, **keys,
    )  # fmt: skip
    return whole, once


def every(buffer: ReplayBuffer) -> list[tuple[Any, ...]]:
    batch = buffer.peek(len(buffer), EveryIndex(np.random.PCG64(0)))
    columns = [getattr(batch, name).reshape(len(buffer), -1).tolist() for name in COLUMNS]
    return sorted(map(repr, zip(*columns, strict=True)))  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), num_envs=st.integers(1, 3), extra=st.integers(0, 9), size=st.integers(2, 4))
def test_draws_what_whole_stacks_would(
    data: st.DataObject, num_envs: int, extra: int, size: int
) -> None:
    padding = data.draw(st.sampled_from(["reset", "zero"]))
    n_step = data.draw(st.integers(1, 3))
    whole, once = buffers(num_envs + extra, num_envs, size, padding, n_step=n_step)
    worlds = StackedWorlds(num_envs, size, padding)
    step = st.lists(st.sampled_from(OUTCOMES), min_size=num_envs, max_size=num_envs)
    for outcomes in data.draw(st.lists(step, min_size=1, max_size=40)):
        columns = worlds.step(outcomes)
        for buffer in (whole, once):
            buffer.add(*columns)
        assert len(once) == len(whole)
        if len(whole):
            assert every(once) == every(whole)
    rows, ends = once.rings.rows_in_order()
    assert len(rows) == len(once)
    theirs, their_ends = whole.rings.rows_in_order()
    np.testing.assert_array_equal(ends, their_ends)
    if len(rows):
        np.testing.assert_array_equal(
            once.rings.read(rows).observation, whole.rings.read(theirs).observation
        )


def filled(once: ReplayBuffer, worlds: StackedWorlds, steps: int, seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        outcomes = rng.choice(OUTCOMES, len(worlds.stacks)).tolist()
        once.add(*worlds.step(outcomes))


@pytest.mark.parametrize("padding", ["reset", "zero"])
def test_priorities_are_those_of_what_is_drawn(padding: str) -> None:
    whole, once = buffers(11, 2, 3, padding, priority_alpha=0.6)
    worlds, twin = StackedWorlds(2, 3, padding), StackedWorlds(2, 3, padding)
    for step in range(60):
        for buffer, world in ((whole, worlds), (once, twin)):
            filled(buffer, world, 1, seed=step)
        if not len(whole):
            continue
        seen = set(every(whole))
        batch = once.sample(64)
        columns = [getattr(batch, name).reshape(64, -1).tolist() for name in COLUMNS]
        drawn = set(map(repr, zip(*columns, strict=True)))
        assert drawn <= seen
        assert np.count_nonzero(once.priorities._tree.numbers) == len(once)
        once.learned({"td_error": torch.full((64, 1), step + 1.0)})


@pytest.mark.parametrize("padding", ["reset", "zero"])
def test_goes_on_from_the_disk(tmp_path: Path, padding: str) -> None:
    def made() -> ReplayBuffer:
        _, once = buffers(13, 2, 3, padding, storage=DiskStorage())
        once.storage.open(tmp_path)
        return once

    first, worlds = made(), StackedWorlds(2, 3, padding)
    for steps in (5, 30):
        filled(first, worlds, steps)
        document, held = first.commit(), every(first)
        second = made()
        second.load(document)
        assert every(second) == held and len(second) == len(first)
        first = second
    filled(first, worlds, 3)  # the stacks go on


def test_each_frame_takes_its_room_once() -> None:
    whole, once = buffers(1000, 1, 4, "reset", observation_dtype=np.uint8)
    sizes = [b.rings.table.columns["observation"].nbytes for b in (whole, once)]
    assert sizes[1] < 0.26 * sizes[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda columns: columns[5].__iadd__(1), "does not begin with the frames"),
        (lambda columns: columns[0].__iadd__(1) + columns[5].__iadd__(1), "neither follows"),
    ],
)
def test_other_stacks_are_refused(change: Any, message: str) -> None:
    _, once = buffers(9, 1, 3, "reset")
    worlds = StackedWorlds(1, 3, "reset")
    for _ in range(4):
        once.add(*worlds.step(["on"]))
    columns = worlds.step(["on"])
    change(columns)
    with pytest.raises(SpaceError, match=f"{message}.*put it after wrappers"):
        once.add(*columns)


def test_demonstrations_are_divided_between_episodes() -> None:
    worlds, columns = StackedWorlds(1, 3, "reset"), []
    for outcome in ["on", "on", "terminated"] * 2 + ["on"] * 4 + ["truncated"]:
        columns.append(worlds.step([outcome])[:6])
    steps = Steps(*(np.concatenate(column) for column in zip(*columns, strict=True)))
    steps = steps._replace(reward=steps.reward.astype(np.float32))
    whole, once = buffers(20, 2, 3, "reset")
    for buffer in (whole, once):
        fill(buffer, steps)
    assert every(once) == every(whole)
    _, small = buffers(11, 2, 3, "reset")
    with pytest.raises(ConfigError, match="expected more than 11"):
        fill(small, steps)


@pytest.mark.parametrize("padding", ["reset", "zero"])
def test_demonstrations_that_begin_within_an_episode_are_left_out(padding: str) -> None:
    worlds = StackedWorlds(1, 3, padding)
    outcomes = ["on"] * 4 + ["terminated", "on", "truncated", "on"]
    columns = [worlds.step([outcome])[:6] for outcome in outcomes]
    steps = Steps(*(np.concatenate(column) for column in zip(*columns, strict=True)))
    _, once = buffers(20, 2, 3, padding)
    fill(once, Steps(*(column[2:] for column in steps)))
    _, expected = buffers(20, 2, 3, padding)
    fill(expected, Steps(*(column[5:] for column in steps)))
    assert every(once) == every(expected) and len(once) == 3
    with pytest.raises(ConfigError, match="an episode with its first frames"):
        fill(once, Steps(*(column[2:5] for column in steps)))


@pytest.mark.parametrize("padding", ["reset", "zero"])
@pytest.mark.parametrize("n_step", [1, 3])
def test_a_copy_on_the_gpu_gives_the_same_batches(padding: str, n_step: int, cuda: str) -> None:
    _, once = buffers(14, 2, 3, padding, n_step=n_step)
    _, mirrored = buffers(14, 2, 3, padding, n_step=n_step)
    mirrored.mirror_on(torch.device("cuda"))
    worlds, twin = StackedWorlds(2, 3, padding), StackedWorlds(2, 3, padding)
    for step in range(40):
        for buffer, world in ((once, worlds), (mirrored, twin)):
            filled(buffer, world, 1, seed=step)
        if len(once):
            assert_same(mirrored.sample(16), once.sample(16))
