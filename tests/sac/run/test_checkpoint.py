from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sac.disk import files
from sac.errors import CheckpointError
from sac.run.checkpoint import Checkpoint, find_checkpoint, load_checkpoint, prune, save_checkpoint
from sac.run.manifest import FileRecord

TENSORS: dict[str, dict[str, np.ndarray]] = {
    "policy": {"weight": np.ones((2, 3), np.float32), "bias": np.array([0.5], np.float32)},
    "agent": {"log_alpha": np.array(-1.5, np.float64), "steps": np.array(7, np.int64)},
}
DOCUMENTS: dict[str, dict[str, float]] = {
    "trainer": {"episodes": 3, "best": -12.5},
    "config": {"seed": 0},
}


def save(folder: Path, step: int = 5000, **tensors: np.ndarray) -> Path:
    save_checkpoint(folder, {**TENSORS, "extra": tensors}, DOCUMENTS, step=step)
    return folder


def step_folder(run: Path, step: int) -> Path:
    return run / "checkpoints" / str(step)


def assert_whole(checkpoint: Checkpoint) -> None:
    assert {*checkpoint.tensors} == {"policy", "agent", "extra"}
    assert len(checkpoint.tensors) == 3
    for name, arrays in TENSORS.items():
        for key, array in arrays.items():
            read = checkpoint.tensors[name][key]
            assert read.dtype == array.dtype and read.shape == array.shape
            np.testing.assert_array_equal(read, array)


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# What is written is what is read.


def test_save_and_load(tmp_path: Path) -> None:
    checkpoint = load_checkpoint(save(step_folder(tmp_path, 5000)))
    assert checkpoint.step == 5000
    assert checkpoint.documents == DOCUMENTS
    assert "numpy" in checkpoint.versions
    assert_whole(checkpoint)
    with pytest.raises(KeyError):
        checkpoint.tensors["missing"]


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.arange(6, dtype=np.float32).reshape(2, 3).T, id="transposed"),
        pytest.param(np.arange(10, dtype=np.float32)[::-2], id="strided"),
        pytest.param(np.broadcast_to(np.float32(3.0), (2, 2)), id="broadcast"),
        pytest.param(np.arange(4, dtype=">f4"), id="big-endian"),
        pytest.param(np.array(2.5), id="0-d"),
        pytest.param(np.zeros((0, 3), np.float32), id="empty"),
        pytest.param(np.array([True, False]), id="bool"),
        pytest.param(np.arange(3, dtype=np.uint8), id="uint8"),
    ],
)
def test_any_layout_is_saved_right(tmp_path: Path, array: np.ndarray) -> None:
    read = load_checkpoint(save(tmp_path / "best", array=array)).tensors["extra"]["array"]
    assert read.shape == array.shape
    assert read.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(read, array)


def test_documents_hold_generator_state_and_numpy_numbers_exactly(tmp_path: Path) -> None:
    state = np.random.default_rng(0).bit_generator.state
    document = {"generator": state, "return": np.float32(0.1), "returns": np.array([1.5, -2.0])}
    save_checkpoint(tmp_path / "best", {}, {"trainer": document}, step=0)
    read = load_checkpoint(tmp_path / "best").documents["trainer"]
    assert read["generator"] == state
    assert read["return"] == float(np.float32(0.1))
    assert read["returns"] == [1.5, -2.0]


@pytest.mark.parametrize("name", ["../escape", "a/b", "manifest", "", "a.b"])
def test_names_that_would_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        save_checkpoint(tmp_path / "best", {}, {name: {}}, step=0)
    assert entries(tmp_path) == set()


# A crash at any moment leaves a whole checkpoint, old or new.


class Crash(BaseException):
    """As SIGKILL would: no cleanup may be relied on."""


FILE_OPERATIONS = ("write_file", "sync_folder", "rename", "remove_folder")


def crash_at(monkeypatch: pytest.MonkeyPatch, crash_call: int, *, before: bool) -> None:
    """Raise at the n-th file operation, and make every later one fail as in a dead process."""
    calls = 0

    def guarded(operation: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls < crash_call:
                return operation(*args)
            if calls == crash_call and not before:
                operation(*args)
            raise Crash

        return run

    for name in FILE_OPERATIONS:
        monkeypatch.setattr(files, name, guarded(getattr(files, name)))
    monkeypatch.setattr(files.shutil, "rmtree", lambda *args, **kwargs: None)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("place", ["best", "checkpoints/7"])
def test_crash_while_replacing_leaves_the_old_or_the_new(
    tmp_path: Path, place: str, before: bool
) -> None:
    which = Path(place).name
    finished = False
    crash_call = 0
    seen = set()
    while not finished:
        crash_call += 1
        run = tmp_path / str(crash_call)
        run.mkdir()
        save(run / place, step=7, generation=np.array(1))
        with pytest.MonkeyPatch.context() as monkeypatch:
            crash_at(monkeypatch, crash_call, before=before)
            try:
                save(run / place, step=7, generation=np.array(2))
                finished = True
            except Crash:
                pass
        checkpoint = load_checkpoint(find_checkpoint(run, which))
        assert_whole(checkpoint)
        seen.add(int(checkpoint.tensors["extra"]["generation"]))
        if (run / "checkpoints").exists():
            assert entries(run / "checkpoints") <= {"7"}

        # The next write tidies up and is not disturbed by what was left.
        save(run / place, step=7, generation=np.array(3))
        save(step_folder(run, 9), step=9)
        prune(run / "checkpoints", keep=2)
        assert load_checkpoint(run / place).tensors["extra"]["generation"] == 3
        assert not [name for name in entries(run) if name.startswith(".")]
    assert crash_call > 8
    assert seen == {1, 2}


def test_failed_write_leaves_nothing_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_file", full_disk)
    with pytest.raises(CheckpointError, match="No space left on device"):
        save(step_folder(tmp_path, 5))
    assert entries(tmp_path) == set()


def test_all_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, str]] = []

    def recorded(name: str) -> Callable[..., Any]:
        operation = getattr(files, name)

        def run(path: Path, *rest: Any) -> Any:
            done.append((name, Path(path).name))
            return operation(path, *rest)

        return run

    for name in ("write_file", "sync_folder", "rename"):
        monkeypatch.setattr(files, name, recorded(name))
    save(step_folder(tmp_path, 5))
    (rename,) = [i for i, (name, _) in enumerate(done) if name == "rename"]
    temporary = done[rename][1]
    assert {name for name, _ in done[: rename - 1]} == {"write_file"}
    assert done[rename - 2] == ("write_file", "manifest.json")
    assert done[rename - 1] == ("sync_folder", temporary)
    assert {*done[rename + 1 :]} == {("sync_folder", "checkpoints"), ("sync_folder", tmp_path.name)}


def test_unfinished_checkpoint_is_never_under_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file = files.write_file
    checkpoints = tmp_path / "checkpoints"

    def watching(path: Path, data: bytes) -> None:
        assert not checkpoints.exists() or entries(checkpoints) <= {"1"}
        write_file(path, data)

    monkeypatch.setattr(files, "write_file", watching)
    save(step_folder(tmp_path, 1))
    save(step_folder(tmp_path, 2))
    assert entries(checkpoints) == {"1", "2"}


# Reading.


def test_best_replaced_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    best = save(tmp_path / "best", step=1, generation=np.array(1))
    import sac.run.checkpoint as module

    check_size = module.check_size

    def replace_first(path: Path, record: FileRecord) -> None:
        monkeypatch.setattr(module, "check_size", check_size)
        save(best, step=2, generation=np.array(1000), more=np.zeros(9))
        check_size(path, record)

    monkeypatch.setattr(module, "check_size", replace_first)
    checkpoint = load_checkpoint(best)
    assert checkpoint.step == 2
    assert checkpoint.tensors["extra"]["generation"] == 1000


# Finding.


def test_find_in_a_run(tmp_path: Path) -> None:
    for step in (9, 10, 100):
        save(step_folder(tmp_path, step), step=step)
    assert find_checkpoint(tmp_path, "last").name == "100"
    assert find_checkpoint(tmp_path).name == "100", "no best yet: the last"
    assert find_checkpoint(str(tmp_path), "9").name == "9"
    assert find_checkpoint(tmp_path, "0010").name == "10"
    assert find_checkpoint(tmp_path, 9) == find_checkpoint(tmp_path, np.int64(9))  # type: ignore[arg-type]
    save(tmp_path / "best", step=9)
    assert find_checkpoint(tmp_path).name == "best"
    assert find_checkpoint(tmp_path, "last").name == "100"
    assert find_checkpoint(step_folder(tmp_path, 9), "best").name == "9"


def test_what_is_not_a_step_is_no_checkpoint(tmp_path: Path) -> None:
    save(step_folder(tmp_path, 5))
    (tmp_path / "checkpoints" / "notes").mkdir()
    (tmp_path / "checkpoints" / "99").touch()
    assert find_checkpoint(tmp_path, "last").name == "5"


def test_a_run_that_holds_an_exported_policy_is_a_run(tmp_path: Path) -> None:
    save(step_folder(tmp_path, 5))
    (tmp_path / "policy.safetensors").touch()
    assert find_checkpoint(tmp_path, "last").name == "5"


def test_find_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="has no checkpoints"):
        find_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match="missing"):
        find_checkpoint(tmp_path / "missing")
    save(step_folder(tmp_path, 5))
    save(step_folder(tmp_path, 20))
    with pytest.raises(CheckpointError, match=r"'7'. It has: 5, 20, last"):
        find_checkpoint(tmp_path, "7")
    for which in ("newest", "-1", "1.5", "٣", "../5"):
        with pytest.raises(CheckpointError, match="best, last or a step"):
            find_checkpoint(tmp_path, which)


def test_damaged_step_folder_is_found_and_its_damage_named(tmp_path: Path) -> None:
    folder = save(step_folder(tmp_path, 5))
    (folder / "manifest.json").unlink()
    for path in (tmp_path, folder):
        with pytest.raises(CheckpointError, match=r"manifest\.json"):
            load_checkpoint(find_checkpoint(path, "last"))


# Pruning.


def test_prune_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    save(tmp_path / "best", step=5)
    for step in (5, 10, 9, 100):
        save(step_folder(tmp_path, step), step=step)
    prune(tmp_path / "checkpoints", keep=2)
    assert entries(tmp_path / "checkpoints") == {"10", "100"}
    assert entries(tmp_path) == {"best", "checkpoints"}
    with pytest.raises(ValueError, match="at least 1"):
        prune(tmp_path / "checkpoints", keep=0)


def test_prune_never_leaves_half_a_checkpoint_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in (1, 2):
        save(step_folder(tmp_path, step), step=step)

    def half_removed(folder: Path) -> None:
        (folder / "manifest.json").unlink()
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(files, "remove_folder", half_removed)
    with pytest.raises(CheckpointError, match="Input/output error"):
        prune(tmp_path / "checkpoints", keep=1)
    assert entries(tmp_path / "checkpoints") == {"2"}
