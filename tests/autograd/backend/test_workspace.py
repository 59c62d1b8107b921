"""Memory that is used again belongs to one array at a time, on every interpreter."""

import gc
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd.backend.workspace import KEPT_OF_A_SIZE, REUSED_BYTES, SIZES, Workspace

FLOAT32 = np.dtype(np.float32)
LARGE = (REUSED_BYTES // 4,)


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_memory_comes_again_once_its_array_is_gone() -> None:
    workspace = Workspace()
    first = workspace.empty(LARGE, FLOAT32)
    second = workspace.empty(LARGE, FLOAT32)
    assert not np.shares_memory(first, second)
    at = address(first)
    del first
    gc.collect()
    again = workspace.empty((2, LARGE[0] // 2), FLOAT32)  # another shape of the same size
    assert address(again) == at


VIEWS: dict[str, Callable[[Any], object]] = {
    "slice": lambda a: a[10:20],
    "slice of a slice": lambda a: a[10:200][3:20],
    "reshaped": lambda a: a.reshape(2, -1),
    "transposed": lambda a: a.reshape(2, -1).T[5:],
    "other dtype": lambda a: a.view(np.int32),
    "broadcast": lambda a: np.broadcast_to(a, (3, *a.shape)),
    "strided": lambda a: np.lib.stride_tricks.as_strided(a, (3,), (8,)),
    "buffer": lambda a: a.data,
    "array of a buffer": lambda a: np.frombuffer(a, np.float32)[4:9],
    "dlpack": np.from_dlpack,
    "flat iterator": lambda a: a.flat,
    "subclass": lambda a: a.view(np.ma.MaskedArray),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_keeps_the_memory(name: str) -> None:
    workspace = Workspace()
    array = workspace.empty(LARGE, FLOAT32)
    array[:] = 7
    view = VIEWS[name](array)
    del array
    gc.collect()
    others = [workspace.empty(LARGE, FLOAT32) for _ in range(3)]
    for other in others:
        other[:] = 0
    assert (np.asarray(view if not isinstance(view, np.flatiter) else view.base) != 0).all()


def test_arguments_locals_and_containers_hold_an_array() -> None:
    """CPython 3.14 borrows such references, so a count of them does not tell who holds an array."""
    workspace = Workspace()

    def fill(array: np.ndarray) -> np.ndarray:
        workspace.empty(LARGE, FLOAT32)[:] = 0
        return array

    held = [workspace.empty(LARGE, FLOAT32)]
    held[0][:] = 7
    assert (fill(held[0]) == 7).all()
    local = held.pop()
    assert (fill(local) == 7).all()


def test_shapes_and_dtypes_are_as_asked_for() -> None:
    workspace = Workspace()
    for shape, dtype in ((LARGE, FLOAT32), ((2, *LARGE), FLOAT32), (LARGE, np.dtype(np.float64))):
        array = workspace.empty(shape, dtype)
        assert (array.shape, array.dtype) == (shape, dtype)
        assert array.flags.c_contiguous and array.flags.writeable and array.flags.aligned


def test_small_arrays_and_more_than_a_few_are_not_kept() -> None:
    workspace = Workspace()
    workspace.empty((8,), FLOAT32)
    assert not workspace._loans and not workspace._waiting
    held = [workspace.empty(LARGE, FLOAT32) for _ in range(KEPT_OF_A_SIZE + 5)]
    assert len({address(array) for array in held}) == len(held)
    held.clear()
    gc.collect()
    assert not workspace._loans
    assert [len(kept) for kept in workspace._waiting.values()] == [KEPT_OF_A_SIZE]
    for i in range(2 * SIZES):
        workspace.empty((LARGE[0] + i,), FLOAT32)
    assert len(workspace._waiting) == SIZES
    workspace.clear()
    assert not workspace._waiting


def test_memory_that_is_lent_when_all_is_cleared_comes_back() -> None:
    workspace = Workspace()
    array = workspace.empty(LARGE, FLOAT32)
    workspace.clear()
    at = address(array)
    del array
    gc.collect()
    assert address(workspace.empty(LARGE, FLOAT32)) == at


def test_threads_never_get_the_same_memory() -> None:
    workspace = Workspace()
    wrong = []

    def work(number: int) -> None:
        for _ in range(300):
            array = workspace.empty(LARGE, FLOAT32)
            array[:] = number
            if not (array == number).all():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
