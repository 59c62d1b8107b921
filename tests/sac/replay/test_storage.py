"""The replay on the disk: what a plain list holds, at any checkpoint, whatever came after it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sac.errors import CheckpointError
from sac.replay.buffer import ReplayBuffer
from sac.replay.storage import disk as replay_storage
from sac.replay.storage.disk import DiskStorage
from sac.replay.storage.segments import check_segments
from tests.sac.replay.contents import contents
from tests.sac.replay.test_buffer import (
    OUTCOMES,
    Oracle,
    Transition,
    Worlds,
    every_transition,
    make_buffer,
    run_worlds,
)
from tests.sac.tiny_runs import assert_same_arrays

COLUMNS = ("observation", "action", "reward", "terminated", "truncated", "next_row")


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a few rows, so that a short test moves many."""
    monkeypatch.setattr(replay_storage, "SEGMENT_BYTES", 128)


class Disk:
    """A buffer on the disk and its checkpoints, as a run saves and keeps them."""

    def __init__(self, folder: Path, capacity: int, num_envs: int, keep: int = 2) -> None:
        self.folder, self.arguments, self.keep = folder, (capacity, num_envs), keep
        self.documents: dict[int, Any] = {}
        self.buffer, self.storage = self.opened()

    def opened(self) -> tuple[ReplayBuffer, DiskStorage]:
        storage = DiskStorage()
        buffer = make_buffer(*self.arguments, storage=storage)
        storage.open(self.folder)
        return buffer, storage

    def save(self) -> None:
        document = json.loads(json.dumps(self.buffer.commit()))
        step = max(self.documents, default=0) + 1
        self.documents[step] = document
        self.storage.hold(step, document["tables"])
        for old in list(self.documents)[: -self.keep]:
            del self.documents[old]
        self.storage.release(self.storage.held() - self.documents.keys())

    def crash(self, step: int) -> None:
        """Go on in a new process from one of the checkpoints; newer ones are damaged, say."""
        self.documents = {s: d for s, d in self.documents.items() if s <= step}
        self.buffer, self.storage = self.opened()
        for kept, document in self.documents.items():
            check_segments(self.folder, document["tables"])
            self.storage.hold(kept, document["tables"])
        self.buffer.load(self.documents[step])


def copied(oracle: Oracle) -> Oracle:
    copy = Oracle(1, 1)
    copy.rings = [ring.copy() for ring in oracle.rings]
    return copy


@settings(max_examples=60, deadline=None)
@given(data=st.data(), num_envs=st.integers(1, 3), extra=st.integers(0, 30))
def test_every_kept_checkpoint_stays_as_it_was(
    data: st.DataObject, num_envs: int, extra: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    capacity = num_envs + extra
    disk = Disk(tmp_path_factory.mktemp("replay"), capacity, num_envs, keep=3)
    worlds = Worlds(disk.buffer, Oracle(capacity, num_envs))
    saved: dict[int, tuple[Oracle, list[float], list[bool]]] = {}
    step = st.lists(st.sampled_from(OUTCOMES), min_size=num_envs, max_size=num_envs)
    event = st.one_of(step, step, step, st.sampled_from(["save", "crash", "truncate"]))
    for what in data.draw(st.lists(event, min_size=1, max_size=80)):
        if what == "save":
            disk.save()
            newest = max(disk.documents)
            saved[newest] = copied(worlds.oracle), list(worlds.current), list(worlds.is_over)
        elif what == "truncate":
            disk.buffer.truncate(range(num_envs))
        elif what == "crash" and disk.documents:
            at = data.draw(st.sampled_from(sorted(disk.documents)))
            disk.crash(at)
            worlds.buffer, worlds.oracle = disk.buffer, copied(saved[at][0])
            worlds.current, worlds.is_over = list(saved[at][1]), list(saved[at][2])
        elif isinstance(what, list):
            worlds.step(what)
        check(disk, disk.buffer, worlds.oracle)
    for at in list(disk.documents):
        check_segments(disk.folder, disk.documents[at]["tables"])
    for at in sorted(disk.documents, reverse=True):
        disk.crash(at)
        check(disk, disk.buffer, saved[at][0])


def check(disk: Disk, buffer: ReplayBuffer, oracle: Oracle) -> None:
    assert len(buffer) == len(oracle.transitions())
    if len(buffer):
        assert every_transition(buffer) == oracle.transitions()


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("steps", [3, 25, 120])
def test_samples_are_those_of_a_buffer_in_memory(tmp_path: Path, num_envs: int, steps: int) -> None:
    disk = Disk(tmp_path / "replay", 40, num_envs)
    memory = make_buffer(40, num_envs)
    for part in range(4):
        worlds = [Worlds(buffer, Oracle(40, num_envs)) for buffer in (disk.buffer, memory)]
        generator = np.random.default_rng(part)
        for _ in range(steps):
            outcomes = generator.choice(["on", "on", "truncated", "terminated"], num_envs).tolist()
            for world in worlds:
                world.step(outcomes)
        disk.save()
        if part == 2:
            disk.crash(max(disk.documents))
            disk.buffer.load_generator_state(memory.generator_state())
        assert_same_arrays(disk.buffer.sample(16).arrays(), memory.sample(16).arrays())
    assert_same_arrays(contents(disk.buffer), contents(memory))


def test_nothing_is_lost_where_the_rows_move_in_the_middle_of_a_transition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk: each new slot moves all of them into memory, each checkpoint back."""
    slots = replay_storage.SlotFiles
    monkeypatch.setattr(slots, "grow", slots._move_into_memory)
    disk, memory = Disk(tmp_path / "replay", 40, 1, keep=100), make_buffer(40, 1)
    worlds = [Worlds(buffer, Oracle(40, 1)) for buffer in (disk.buffer, memory)]
    for _ in range(30):
        disk.save()
        for world in worlds:
            world.step(["truncated"])
        assert_same_arrays(contents(disk.buffer), contents(memory))


def sizes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def test_a_full_segment_is_hashed_once_and_an_unchanged_replay_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path / "replay", 400, 1)
    hashed: list[int] = []
    sha256 = replay_storage.SlotFiles.sha256

    def counting(self: Any, slot: int) -> str:
        hashed.append(slot)
        return sha256(self, slot)

    monkeypatch.setattr(replay_storage.SlotFiles, "sha256", counting)
    worlds = Worlds(disk.buffer, Oracle(400, 1))
    for _ in range(10):
        for _ in range(30):
            worlds.step(["on"])
        disk.save()
    rows = disk.buffer.rings.table
    segments = len(disk.documents[10]["tables"]["ring"]["segments"])
    assert 300 / (401 / segments) <= len(hashed) <= 300 / (401 / segments) + 11
    assert len(rows.columns["reward"]) < 400
    hashed.clear()
    monkeypatch.setattr("sac.disk.files.sync_file", lambda path: pytest.fail("nothing has changed"))
    disk.save()
    assert not hashed


def test_files_do_not_grow_beyond_what_the_kept_checkpoints_need(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "replay", 100, 1, keep=2)
    worlds = Worlds(disk.buffer, Oracle(100, 1))
    grown = []
    for _ in range(40):
        for _ in range(30):
            worlds.step(["truncated" if worlds.count % 5 == 0 else "on"])
        disk.save()
        grown.append(sizes(disk.folder))
    assert grown[-1] == grown[20], "slots of checkpoints that are gone are used again"
    row = 8 + 4 + 4 + 1 + 1 + 4
    assert grown[-1] < (100 + 2 * 30) * row * 2


def test_nothing_is_reserved_before_it_is_used(tmp_path: Path) -> None:
    storage = DiskStorage()
    buffer = make_buffer(2**30, observation_shape=(1000, 1000), storage=storage)
    storage.open(tmp_path / "replay")
    assert all(array.nbytes < 10**6 for array in buffer.rings.table.columns.values())
    assert sizes(tmp_path / "replay") == 0


def test_a_folder_with_anything_in_it_is_empty_room(tmp_path: Path) -> None:
    """A run that was killed before its first checkpoint leaves files that nothing refers to."""
    disk = Disk(tmp_path / "replay", 50, 1)
    run_worlds(disk.buffer, 1, 60)
    before = sizes(disk.folder)
    (disk.folder / "ring-reward.bin").write_bytes(b"junk")
    (disk.folder / "aside-observation.bin").unlink()
    again = Disk(disk.folder, 50, 1)
    worlds = run_worlds(again.buffer, 1, 60)
    assert every_transition(again.buffer) == worlds.oracle.transitions()
    assert sizes(disk.folder) <= before


# A document that is damaged, or a stranger's.


def damaged(document: Any, change: Any) -> Any:
    copy = json.loads(json.dumps(document))
    change(copy)
    return copy


def set_at(*path: Any) -> Any:
    *keys, value = path

    def change(document: Any) -> None:
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = value

    return change


DAMAGE = [
    set_at("tables", 3),
    set_at("tables", "ring", None),
    set_at("tables", "ring", "rows", 10**18),
    set_at("tables", "ring", "rows", -1),
    set_at("tables", "ring", "segment_rows", 2**50),
    set_at("tables", "ring", "segment_rows", 3),
    set_at("tables", "ring", "segments", 0, [10**17, "00"]),
    set_at("tables", "ring", "segments", 0, [10**400, "00"]),
    set_at("tables", "ring", "segments", 0, [-1, "00"]),
    set_at("tables", "ring", "segments", 0, [1.5, "00"]),
    set_at("tables", "ring", "segments", 0, [True, "00"]),
    set_at("tables", "ring", "segments", 0, "x"),
    set_at("tables", "ring", "segments", []),
    set_at("tables", "ring", "segments", 0, None),
    set_at("tables", "aside", "segments", 0, None),
    set_at("tables", "ring", "columns", "observation", "shape", [2**40, 2**40]),
    set_at("tables", "ring", "columns", "observation", "dtype", "O"),
    set_at("tables", "ring", "columns", "observation", "dtype", "<f8"),
    set_at("tables", "ring", "columns", "../../secret", {"dtype": "<f4", "shape": []}),
    set_at("tables", "aside", "segments", 0, [0, "00"]),
    set_at("sizes", [10**30]),
    set_at("sizes", "many"),
    set_at("head", [-5]),
    set_at("head", []),
]


@pytest.mark.parametrize("change", DAMAGE)
def test_a_damaged_document_is_refused(tmp_path: Path, change: Any) -> None:
    disk = Disk(tmp_path / "replay", 50, 1)
    run_worlds(disk.buffer, 1, 60)
    disk.save()
    document = damaged(disk.documents[1], change)
    buffer, _ = disk.opened()
    with pytest.raises(CheckpointError):
        check_segments(disk.folder, document["tables"])
        buffer.load(document)


def test_two_segments_in_one_slot_are_refused(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "replay", 50, 1)
    run_worlds(disk.buffer, 1, 60)
    disk.save()
    segments = disk.documents[1]["tables"]["ring"]["segments"]
    segments[1] = segments[0]
    with pytest.raises(CheckpointError, match="share"):
        check_segments(disk.folder, disk.documents[1]["tables"])


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_damaged_files_are_named(tmp_path: Path, column: str, damage: str) -> None:
    disk = Disk(tmp_path / "replay", 50, 1)
    run_worlds(disk.buffer, 1, 60)
    disk.save()
    path = disk.folder / f"ring-{column}.bin"
    ring = disk.documents[1]["tables"]["ring"]
    layout = ring["columns"][column]
    row_bytes = int(np.prod(layout["shape"])) * np.dtype(layout["dtype"]).itemsize
    last_slot = max(segment[0] for segment in ring["segments"] if segment is not None)
    end = (last_slot + 1) * ring["segment_rows"] * row_bytes
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[end - 1] ^= 4
        path.write_bytes(data)
    elif damage == "truncate":
        path.write_bytes(data[: end - 1])
    else:
        path.unlink()
    with pytest.raises(CheckpointError, match=r"ring-(\*|" + column + r")\.bin"):
        check_segments(disk.folder, disk.documents[1]["tables"])


@pytest.mark.parametrize("next_row", [-1, 1000, 10**9, 7, "another's"])
def test_next_rows_that_lead_elsewhere_are_refused(tmp_path: Path, next_row: Any) -> None:
    disk = Disk(tmp_path / "replay", 50, 1)
    run_worlds(disk.buffer, 1, 30)
    place = disk.buffer.rings.table.claim(3)
    next_rows = disk.buffer.rings.table.columns["next_row"]
    aside = next_rows[next_rows > 50].tolist()
    assert next_rows[place] not in aside[-1:]
    next_rows[place] = aside[-1] if next_row == "another's" else next_row
    disk.save()
    with pytest.raises(CheckpointError, match="next observations"):
        disk.crash(1)


def test_a_replay_of_another_size_is_refused(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "replay", 50, 1)
    run_worlds(disk.buffer, 1, 30)
    disk.save()
    for capacity, num_envs in ((49, 1), (51, 1), (50, 2), (500, 1)):
        other = Disk(tmp_path / "replay", capacity, num_envs)
        with pytest.raises(CheckpointError):
            other.buffer.load(disk.documents[1])


def test_transition_is_a_row_of_the_files(tmp_path: Path) -> None:
    """What a stranger to this library reads: raw little-endian arrays, described in JSON."""
    disk = Disk(tmp_path / "replay", 10, 1)
    worlds = Worlds(disk.buffer, Oracle(10, 1))
    worlds.step(["on"])
    disk.save()
    ring = disk.documents[1]["tables"]["ring"]
    slot, _ = ring["segments"][0]
    read = {}
    for name, column in ring["columns"].items():
        data = np.fromfile(disk.folder / f"ring-{name}.bin", column["dtype"])
        read[name] = data.reshape(-1, *column["shape"])[slot * ring["segment_rows"]]
    (expected,) = worlds.oracle.transitions()
    found = Transition(
        read["observation"][0], read["action"][0], read["reward"], read["terminated"], 2.0
    )
    assert found == expected


def test_segments_of_another_size_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(tmp_path / "replay", 50, 1)
    worlds = run_worlds(disk.buffer, 1, 60)
    disk.save()
    monkeypatch.setattr(replay_storage, "SEGMENT_BYTES", 500)
    disk.crash(1)
    assert every_transition(disk.buffer) == worlds.oracle.transitions()
    worlds.buffer = disk.buffer
    for _ in range(60):
        worlds.step(["on"])
    disk.save()
    disk.crash(2)
    assert every_transition(disk.buffer) == worlds.oracle.transitions()
