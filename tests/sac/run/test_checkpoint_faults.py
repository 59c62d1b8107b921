"""A checkpoint that fails or is killed at any of its file operations: the run goes on exactly."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sac.config import Config
from sac.environments import make_vector_environment
from sac.errors import DiskError
from sac.replay.storage import disk as replay_storage
from sac.replay.storage.disk import DiskStorage
from sac.run.checkpoint import check_replay, last_usable_checkpoint, load_checkpoint, step_folders
from sac.training.run_state import RunState
from tests.sac.faults import Faults, failing, in_a_process_of_its_own, killing, no_fault
from tests.sac.replay.contents import contents
from tests.sac.tiny_runs import assert_same_arrays, tiny_config

CHANGES = {
    "env": {"num_envs": 2},
    "train": {"buffer_size": 40},
    "checkpoint": {"keep": 1},
}
needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="kills a fork of itself")


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_storage, "SEGMENT_BYTES", 256)


def opened(config: Config, run: Path) -> RunState:
    environment = make_vector_environment(config.env, seed=0)
    state = RunState.new(config, environment, storage=DiskStorage())
    state.open_replay(run)
    return state


def resumed(config: Config, run: Path) -> RunState:
    checkpoint, damaged = last_usable_checkpoint(run)
    assert not damaged
    state = opened(config, run)
    assert not state.restore(checkpoint)
    return state


def go_on(state: RunState) -> None:
    for _ in range(9):
        state.counters.step += state.collector.collect(random=False).transitions
        state.metrics = state.agent.update(state.replay_buffer.sample(8))


def assert_same_states(state: RunState, expected: RunState) -> None:
    assert state.counters == expected.counters
    assert_same_arrays(state.agent.state_dict(), expected.agent.state_dict())
    assert_same_arrays(contents(state.replay_buffer), contents(expected.replay_buffer))
    for part in ("agent", "replay_buffer"):
        assert getattr(state, part).generator_state() == getattr(expected, part).generator_state()
    random_actions = state.collector.state()["random_actions"]
    assert random_actions == expected.collector.state()["random_actions"]


def assert_all_checkpoints_are_whole(run: Path) -> None:
    for folder in step_folders(run).values():
        check_replay(load_checkpoint(folder), run)


class World:
    """A run that was saved once, and states of it at that step and after two more parts."""

    def __init__(self, root: Path) -> None:
        self.config = tiny_config(root, CHANGES)
        self.base = root / "base"
        self.base.mkdir()
        state = opened(self.config, self.base)
        for _ in range(3):  # the ring wraps round in the second
            go_on(state)
            state.save(self.base)
        self.after = [self.state_after(root / f"after-{parts}", parts) for parts in range(4)]
        self.steps = [state.counters.step for state in self.after]

    def state_after(self, run: Path, parts: int) -> RunState:
        shutil.copytree(self.base, run)
        state = resumed(self.config, run)
        for _ in range(parts):
            go_on(state)
            state.save(run)
        return state

    def operations(self, root: Path) -> list[str]:
        """The file operations of a save."""
        shutil.copytree(self.base, root)
        state = resumed(self.config, root)
        go_on(state)
        with Faults(no_fault).installed() as faults:
            state.save(root)
        return faults.done


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay_storage, "SEGMENT_BYTES", 256)
        return World(tmp_path_factory.mktemp("world"))


def for_each_operation(
    world: World, tmp_path: Path, check: Callable[[Path, int, str], None]
) -> list[str]:
    """Call `check` with a copy of the run, the number of an operation and its name."""
    names = world.operations(tmp_path / "counted")
    for number, name in enumerate(names, 1):
        run = tmp_path / str(number)
        shutil.copytree(world.base, run)
        check(run, number, name)
        shutil.rmtree(run)
    return names


def test_failure_at_every_file_operation_of_a_checkpoint(world: World, tmp_path: Path) -> None:
    def fail(run: Path, number: int, name: str) -> None:
        state = resumed(world.config, run)
        go_on(state)
        with failing(number).installed(), pytest.raises(DiskError):
            state.save(run)
        assert_all_checkpoints_are_whole(run)
        go_on(state)
        assert_all_checkpoints_are_whole(run)
        crashed = resumed(world.config, shutil.copytree(run, run.parent / "crashed"))
        assert_same_states(crashed, world.after[world.steps.index(crashed.counters.step)])
        shutil.rmtree(run.parent / "crashed")
        state.save(run)
        assert_same_states(resumed(world.config, run), world.after[2])
        assert set(step_folders(run)) == {world.steps[2]}
        assert not list(run.glob(".*"))

    done = for_each_operation(world, tmp_path, fail)
    assert {"sync_map", "write_file", "sync_folder", "rename", "remove_folder"} <= set(done)


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("halfway", [False, True], ids=["before", "halfway"])
def test_kill_at_every_file_operation_of_a_checkpoint(
    world: World, tmp_path: Path, halfway: bool
) -> None:
    found = set()

    def kill(run: Path, number: int, name: str) -> None:
        if halfway and name != "write_file":
            return

        def work() -> None:
            state = resumed(world.config, run)
            go_on(state)
            with killing(number, halfway=halfway).installed():
                state.save(run)

        assert in_a_process_of_its_own(work) == -9, (number, name)
        state = resumed(world.config, run)
        parts = world.steps.index(state.counters.step)
        found.add(parts)
        assert_same_states(state, world.after[parts])
        assert_all_checkpoints_are_whole(run)
        go_on(state)
        state.save(run)
        assert_same_states(resumed(world.config, run), world.after[parts + 1])
        assert not list(run.glob(".*")), "what the crash left is gone"

    for_each_operation(world, tmp_path, kill)
    assert found == ({0} if halfway else {0, 1})


def test_copied_run_is_resumed_elsewhere(world: World, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "run"), "tar", world.base)
    shutil.unpack_archive(archive, tmp_path / "elsewhere", filter="data")
    state = resumed(world.config, tmp_path / "elsewhere")
    go_on(state)
    assert_same_states(state, world.after[1])


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 8
    path.write_bytes(data)


def damaged_parts(run: Path) -> list[Any]:
    folder = next(iter(step_folders(run).values()))
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_damage_of_the_newest_checkpoint_is_told_and_the_one_before_it_is_used(
    world: World, tmp_path: Path, damage: str
) -> None:
    config = world.config.merged({"checkpoint": {"keep": 2}})
    for name in damaged_parts(world.base):
        run = tmp_path / name
        shutil.copytree(world.base, run)
        state = resumed(config, run)
        go_on(state)
        state.save(run)
        newest = step_folders(run)[world.steps[1]] / name
        if damage == "flip":
            flip(newest, newest.stat().st_size // 2)
        elif damage == "truncate":
            newest.write_bytes(newest.read_bytes()[:-2])
        else:
            newest.unlink()
        checkpoint, damaged = last_usable_checkpoint(run)
        assert checkpoint.step == world.steps[0]
        assert name.replace("manifest", "") in str(damaged[world.steps[1]])
        state = opened(config, run)
        assert not state.restore(checkpoint)
        assert_same_states(state, world.after[0])


def test_damage_of_new_transitions_spares_the_checkpoint_before(
    world: World, tmp_path: Path
) -> None:
    config = world.config.merged({"checkpoint": {"keep": 2}})
    run = tmp_path / "run"
    shutil.copytree(world.base, run)
    state = resumed(config, run)
    go_on(state)
    state.save(run)
    old, new = (
        load_checkpoint(folder).documents["replay"]["tables"]["ring"]
        for folder in step_folders(run).values()
    )
    slots = [{s[0] for s in ring["segments"] if s is not None} for ring in (old, new)]
    slot = min(slots[1] - slots[0])
    flip(run / "replay" / "ring-reward.bin", slot * new["segment_rows"] * 4)
    checkpoint, damaged = last_usable_checkpoint(run)
    assert checkpoint.step == world.steps[0]
    assert f"slot {slot} of the files ring-" in str(damaged[world.steps[1]])
    state = opened(config, run)
    assert not state.restore(checkpoint)
    assert_same_states(state, world.after[0])
