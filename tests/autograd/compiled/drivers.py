"""Runs of the kernels, beside NumPy's: of a function of arrays, and of captured functions."""

from collections.abc import Callable, Sequence
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import autograd as torch
from autograd.backend import NUMPY
from autograd.compiled import BuildError, Compiler, Library, build, load, schedule, writer
from autograd.compiled.emitter import Emitter
from autograd.compiled.fusion import fuse
from autograd.compiled.library import Program
from autograd.compiled.schedule import assign_stages, encode
from autograd.engine.capture import Captured

# How a program is ordered, cut, and on how many threads it runs: one instruction after another, as
# it comes, and in the smallest parts.
WAYS = ((False, 1, 2**60), (True, 1, schedule.WORK_OF_A_PART), (True, 1, 1), (True, 3, 1))


def library() -> Library:
    """The kernels; skips the test where there is no compiler."""
    try:
        build.compiler_name()
    except BuildError as error:
        pytest.skip(f"there are no compiled kernels: {error}")
    return load()


def smallest_parts() -> Any:
    """Cut every program into as many parts as can be, within the block."""
    return patch.multiple(schedule, WORK_OF_A_PART=1, ROWS=1)


def compiled(
    function: Callable[..., Any],
    *arrays: np.ndarray,
    ops: Sequence[str] | None = None,
    fused: Sequence[str] | None = None,
) -> Any:
    """What the kernels make of `function(xp, *arrays)`; the same bits whichever way they run.

    `ops`: the instructions that there must be. `fused`: join instructions; the codes of the rest.
    """
    kernels = library()
    emitter = Emitter(kernels.strip, kernels.tile)
    inputs = [emitter.memory.new(a.shape, a.dtype, "tensor") for a in arrays]
    out = function(emitter, *inputs)
    if ops is not None:
        assert [i.op for i in emitter.instructions] == list(ops)
    if fused is not None:
        fuse([emitter.instructions], {emitter.memory.place(x)[0] for x in _several(out)})
        assert [i.code for i in emitter.instructions] == list(fused)
    roots = emitter.memory.roots
    slots = np.array([root.address for root in roots], np.uint64)
    results = []
    for is_scheduled, threads, work in WAYS:
        stages = assign_stages(emitter.instructions, 0)
        if not is_scheduled:
            stages = len(emitter.instructions)
            for stage, instruction in enumerate(emitter.instructions):
                instruction.stage = stage
        for traced, array in zip(inputs, arrays, strict=True):
            traced.view(np.ndarray)[...] = array
        with patch.multiple(schedule, WORK_OF_A_PART=work, ROWS=min(work, schedule.ROWS)):
            program = Program(kernels, *encode(emitter.instructions, stages), slots, threads)
        assert program.run(0, stages) == stages
        results.append([np.array(x.view(np.ndarray)) for x in _several(out)])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(_bits(one), _bits(two))
    return tuple(results[0]) if isinstance(out, tuple) else results[0][0]


def assert_as_numpy(
    function: Callable[..., Any],
    *arrays: np.ndarray,
    is_exact: bool = False,
    ops: Sequence[str] | None = None,
) -> None:
    """The kernels make of arrays what NumPy does, in float64 where that is not exact."""
    kept = [a.copy() if is_exact or a.dtype != np.float32 else a.astype("f8") for a in arrays]
    expected = _several(function(NUMPY, *kept))
    for ours, theirs in zip(_several(compiled(function, *arrays, ops=ops)), expected, strict=True):
        assert_close(ours, theirs, is_exact=is_exact)


def assert_close(ours: Any, theirs: Any, *, is_exact: bool = False) -> None:
    """Within 1e-5 of the largest number, or the same but for the sign of 0."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    if is_exact or theirs.dtype.kind != "f":
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
        return
    finite = np.abs(theirs[np.isfinite(theirs)])
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * finite.max(initial=1e-30))


def captured(
    function: Callable[..., Any], tensors: Sequence[Any] = (), *, threads: int = 1
) -> Captured:
    """A function of tensors whose calls run in the kernels."""
    return Captured(function, tensors, compiler=Compiler(library(), threads))


def assert_same_as_written(
    function: Callable[..., Any], *arrays: np.ndarray, left: Sequence[str] = ()
) -> Captured:
    """A captured function gives what it gives as it is written; NumPy runs what is in `left`."""
    program = captured(function)
    inputs = [torch.from_numpy(a) for a in arrays]
    for _ in range(2):
        assert_close(program(*inputs).numpy(), function(*inputs).numpy())
    assert program.reason == ""
    found = [line.rpartition(": ")[2] for line in program.compiler.left]
    assert found == list(left)
    return program


def all_threads() -> Any:
    """Let also the smallest programs use threads, within the block."""
    return patch.object(writer, "WORK_OF_A_THREAD", 1)


def _several(out: Any) -> Sequence[Any]:
    return out if isinstance(out, tuple) else (out,)


def _bits(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).view(np.uint8)
