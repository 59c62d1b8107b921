"""Arrays that are used again are handed out to nobody while somebody still holds them."""

import threading

import numpy as np

from autograd.workspace import KEPT_OF_A_KIND, REUSED_BYTES, Workspace

FLOAT32 = np.dtype(np.float32)
LARGE = (REUSED_BYTES // 4,)


def test_an_array_comes_again_only_when_nobody_holds_it() -> None:
    workspace = Workspace()
    first = workspace.empty(LARGE, FLOAT32)
    second = workspace.empty(LARGE, FLOAT32)
    assert first is not second
    address = id(first)
    del first
    assert id(workspace.empty(LARGE, FLOAT32)) == address


def test_a_view_holds_its_array() -> None:
    workspace = Workspace()
    view = workspace.empty(LARGE, FLOAT32)[10:20]
    view[:] = 7
    workspace.empty(LARGE, FLOAT32)[:] = 0
    assert (view == 7).all()


def test_shapes_and_dtypes_are_kept_apart() -> None:
    workspace = Workspace()
    for shape, dtype in ((LARGE, FLOAT32), ((2, *LARGE), FLOAT32), (LARGE, np.dtype(np.float64))):
        array = workspace.empty(shape, dtype)
        assert (array.shape, array.dtype, array.base) == (shape, dtype, None)


def test_small_arrays_and_more_than_a_few_are_not_kept() -> None:
    workspace = Workspace()
    workspace.empty((8,), FLOAT32)
    assert not workspace._kinds
    held = [workspace.empty(LARGE, FLOAT32) for _ in range(KEPT_OF_A_KIND + 5)]
    assert len({id(array) for array in held}) == len(held)
    assert len(workspace._kinds[LARGE, FLOAT32.char]) == KEPT_OF_A_KIND
    workspace.clear()
    assert not workspace._kinds


def test_threads_have_arrays_of_their_own() -> None:
    workspace = Workspace()
    waiting = id(workspace.empty(LARGE, FLOAT32))
    found = []
    thread = threading.Thread(target=lambda: found.append(id(workspace.empty(LARGE, FLOAT32))))
    thread.start()
    thread.join()
    assert found != [waiting]
    assert id(workspace.empty(LARGE, FLOAT32)) == waiting
