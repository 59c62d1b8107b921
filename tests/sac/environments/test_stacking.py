"""Which stacks of frames are told to the replay, and that runs store their frames once."""

from contextlib import closing
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers import (
    FrameStackObservation,
    MaxAndSkipObservation,
    RecordEpisodeStatistics,
    RepeatAction,
    RescaleAction,
    RescaleObservation,
    TransformObservation,
)

from sac import Config, train
from sac.environments import make_vector_environment
from sac.environments.stacking import with_stacks_told
from sac.errors import SpaceError
from sac.run.checkpoint import find_checkpoint, load_checkpoint
from sac.run.saved_replay import saved_replay
from sac.spaces import ObservationEncoder, action_codec, space_from_json, space_to_json
from sac.spaces.stacks import StackedBox
from sac.training.demonstrations import read_steps
from tests.sac.environments_for_tests import COUNTING
from tests.sac.tiny_runs import assert_same_arrays, metrics, saved_arrays, tiny_config

STACK = {"class_path": "gymnasium.wrappers.FrameStackObservation", "kwargs": {"stack_size": 3}}


def told(env: gymnasium.Env) -> str | None:
    space = with_stacks_told(env).observation_space
    return space.padding if isinstance(space, StackedBox) else None


def stack(size: int = 3, **keys: Any) -> gymnasium.Env:
    return FrameStackObservation(gymnasium.make("Pendulum-v1"), size, **keys)


def test_stacks_are_told_through_wrappers_that_leave_observations() -> None:
    assert told(stack()) == "reset"
    assert told(stack(padding_type="zero")) == "zero"
    ends = np.float32(-1), np.float32(1)
    assert told(RescaleAction(RecordEpisodeStatistics(stack()), *ends)) == "reset"
    before = stack().observation_space
    assert with_stacks_told(stack()).observation_space == before


@pytest.mark.parametrize(
    "env",
    [
        gymnasium.make("Pendulum-v1"),
        stack(1),
        stack(padding_type=np.ones(3, np.float32)),
        TransformObservation(stack(), lambda x: x, None),
        MaxAndSkipObservation(stack(), 2),
        RepeatAction(stack(), 2),
        FrameStackObservation(
            RescaleObservation(gymnasium.make("Pendulum-v1"), np.float32(1), np.float32(2)),
            3,
            padding_type="zero",
        ),
        FrameStackObservation(gymnasium.make("Blackjack-v1"), 3),
    ],
)
def test_others_are_not(env: gymnasium.Env) -> None:
    assert told(env) is None


def test_a_stack_stays_one_in_files() -> None:
    space = with_stacks_told(stack(padding_type="zero")).observation_space
    again = space_from_json(space_to_json(space))
    assert isinstance(again, StackedBox) and again.padding == "zero" and again == space
    assert ObservationEncoder(again).takes(space)
    plain = spaces.Box(space.low, space.high, space.shape)  # type: ignore[attr-defined]
    assert ObservationEncoder(again).takes(plain) and ObservationEncoder(plain).takes(again)
    document = space_to_json(space)
    for wrong in ({"stack": "first"}, {"shape": [9], "low": -1, "high": 1, "stack": "x"}):
        with pytest.raises(SpaceError):
            space_from_json({**document, **wrong})


def stacked_config(root: Path, **changes: Any) -> Config:
    env = {"num_envs": 2, "wrappers": [STACK], **changes.pop("env", {})}
    return tiny_config(root, {"env": env}).merged(changes)


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_a_run_stores_frames_once_and_goes_on_exactly(tmp_path: Path, vectorization: str) -> None:
    train_keys = {"buffer_size": 40, "n_step": 2}
    config = stacked_config(tmp_path, env={"vectorization": vectorization}, train=train_keys)
    whole = train(config.merged({"train": {"total_steps": 100}})).run_directory
    part = train(config).run_directory  # 60 steps
    train(resume=part, overrides={"train": {"total_steps": 100}})
    assert metrics(part, "time/")[-1] == metrics(whole, "time/")[-1]
    for name in ("agent", "replay"):
        assert_same_arrays(saved_arrays(part, name), saved_arrays(whole, name))
    checkpoint = load_checkpoint(find_checkpoint(whole, "last"))
    policy = checkpoint.documents["policy"]
    encoder = ObservationEncoder(space_from_json(policy["observation_space"]))
    codec = action_codec(space_from_json(policy["action_space"]))
    rings = saved_replay(checkpoint, encoder, codec).rings
    assert rings.table.columns["observation"].shape[1:] == (4,)
    rows, _ = rings.rows_in_order()
    stored = rings.read(rows)
    assert stored.observation.shape == (40, 3, 4)
    np.testing.assert_array_equal(stored.observation[:, 1:], stored.next_observation[:, :-1])


def test_stacks_that_change_on_their_way_are_refused(tmp_path: Path) -> None:
    other = {"class_path": f"{__name__}.Shaking", "kwargs": {}}
    config = stacked_config(tmp_path, env={"wrappers": [STACK, other]})
    with pytest.raises(SpaceError, match="put it after wrappers that change observations"):
        train(config)


def test_stacks_of_one_array_that_changes_are_refused(tmp_path: Path) -> None:
    reusing = {"class_path": f"{__name__}.Reusing", "kwargs": {}}
    config = stacked_config(tmp_path, env={"wrappers": [reusing, STACK]})
    with pytest.raises(SpaceError, match="an environment that returns a new array in every step"):
        train(config)


class Reusing(gymnasium.Wrapper):
    """Gives the same array in each step, with new contents."""

    def step(self, action: Any) -> Any:
        observation, *rest = super().step(action)
        self._array[:] = observation
        return self._array, *rest

    def reset(self, **keys: Any) -> Any:
        self._array, info = super().reset(**keys)
        return self._array, info


class Shaking(gymnasium.Wrapper):
    """Changes observations, and does not say so."""

    def step(self, action: Any) -> Any:
        observation, *rest = super().step(action)
        return observation + 0.01, *rest


def test_observations_that_stack_nothing_are_stored_as_they_are(tmp_path: Path) -> None:
    run = train(tiny_config(tmp_path, {"env": {"id": COUNTING}})).run_directory
    checkpoint = load_checkpoint(find_checkpoint(run, "last"))
    assert "stack" not in checkpoint.documents["policy"]["observation_space"]


@pytest.mark.parametrize("padding", ["reset", "zero"])
def test_demonstrations_are_read_as_their_own_run_stacked_them(
    tmp_path: Path, padding: str
) -> None:
    shown = train(stacked_config(tmp_path)).run_directory
    other = {
        "class_path": STACK["class_path"],
        "kwargs": {"stack_size": 3, "padding_type": padding},
    }
    config = stacked_config(
        tmp_path, env={"wrappers": [other]}, train={"demonstrations": str(shown)}
    )
    with closing(make_vector_environment(config.env)) as environment:
        steps = read_steps(config, environment)
    begins = np.append(True, (steps.terminated | steps.truncated)[:-1])
    first = steps.observation[begins]
    np.testing.assert_array_equal(first[:, :2], np.repeat(first[:, 2:], 2, axis=1))
