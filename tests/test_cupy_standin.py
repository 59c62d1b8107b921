"""The stand-in for CuPy is as strict as CuPy: what that refuses or does otherwise than NumPy."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.cupy_standin import Synchronized, counting, installed, without_synchronization
from tests.cupy_standin.pinned import WrittenTooEarly

NEEDS_COMPILER = pytest.mark.skipif(
    not any(map(shutil.which, ("c++", "g++", "clang++"))),
    reason="no C++ compiler (c++, g++ or clang++) to compile kernels with",
)


@pytest.fixture
def cp() -> Iterator[Any]:
    """The stand-in under CuPy's usual name."""
    with installed() as cupy:
        yield cupy


def test_it_is_in_the_place_of_cupy_only_while_installed() -> None:
    before = sys.modules.get("cupy")
    with installed() as cupy:
        import cupy as imported
        import cupyx
        import cupyx.scipy.special
        from cupy.cuda import runtime

        assert imported is cupy
        assert runtime.getDeviceCount() == 2
        assert not issubclass(cupy.ndarray, np.ndarray)
        assert callable(cupyx.scipy.special.erf)
    assert sys.modules.get("cupy") is before


REFUSED: dict[str, tuple[Callable[[Any, Any], Any], type[Exception], str]] = {
    "asarray": (lambda cp, a: np.asarray(a), TypeError, "Implicit conversion to a NumPy array is"),
    "array": (lambda cp, a: np.array(a), TypeError, "Implicit conversion to a NumPy array is"),
    "numpy right": (lambda cp, a: a + np.ones(3), TypeError, "Unsupported type <class 'numpy.nd"),
    "numpy left": (lambda cp, a: np.ones(3) + a, TypeError, "Unsupported type <class 'numpy.nd"),
    "numpy without dimensions": (lambda cp, a: a * np.array(2.0), TypeError, "Unsupported type"),
    "list": (lambda cp, a: cp.add(a, [1, 2, 3]), TypeError, "Unsupported type <class 'list'>"),
    "into numpy": (lambda cp, a: cp.add(a, a, out=np.ones(3)), TypeError, "Unsupported type"),
    "into a numpy array": (lambda cp, a: np.ones(3).__setitem__(..., a), TypeError, "Implicit"),
    "where of numbers": (lambda cp, a: cp.where(True, a, a), AttributeError, "astype"),
    "where of numpy": (lambda cp, a: cp.where(np.ones(3) > 0, a, a.get()), TypeError, "Unsupp"),
    "concatenate numpy": (lambda cp, a: cp.concatenate([a, np.ones(3)]), TypeError, "Only cupy"),
    "matmul numpy": (lambda cp, a: a @ np.ones(3), TypeError, "Unsupported type"),
    "sum of numpy": (lambda cp, a: cp.sum(np.ones(3)), TypeError, "Unsupported type"),
    "assign numpy": (lambda cp, a: a.__setitem__(..., np.ones(3)), ValueError, "non-scalar numpy"),
    "assign a list": (lambda cp, a: a.__setitem__(..., [1, 2, 3]), TypeError, "Unsupported type"),
    "maximum.reduce": (lambda cp, a: cp.maximum.reduce(a), NotImplementedError, "not supported"),
    "multiply.at": (lambda cp, a: cp.multiply.at(a, 0, 2), NotImplementedError, "not supported"),
    "unknown function": (lambda cp, a: cp.in1d_sorted, AttributeError, "in1d_sorted"),
    "a function of NumPy's alone": (lambda cp, a: cp.block, AttributeError, "block"),
    "unknown method": (lambda cp, a: a.newbyteorder(), AttributeError, "newbyteorder"),
    "read-only": (lambda cp, a: setattr(a.flags, "writeable", True), AttributeError, "writeable"),
    "take with a mode": (lambda cp, a: cp.take(a, a, mode="clip"), TypeError, "mode"),
    "add with order": (lambda cp, a: cp.add(a, a, order="C"), TypeError, "Wrong arguments"),
    "item of an index": (lambda cp, a: a.item(0), TypeError, "positional argument"),
    "unstable sort": (lambda cp, a: cp.argsort(a, kind="quicksort"), ValueError, "stable"),
    "normal": (lambda cp, a: cp.random.default_rng(0).normal, AttributeError, "normal"),
    "choice": (lambda cp, a: cp.random.default_rng(0).choice, AttributeError, "choice"),
    "permutation": (lambda cp, a: cp.random.default_rng(0).permutation, AttributeError, "perm"),
    "shuffle": (lambda cp, a: cp.random.default_rng(0).shuffle, AttributeError, "shuffle"),
    "text": (lambda cp, a: cp.array(["a"]), ValueError, "Unsupported dtype"),
    "truth of many": (lambda cp, a: bool(a), ValueError, "ambiguous"),
    "as a number of Python": (lambda cp, a: range(a[0].astype("i8")), TypeError, "integer"),
    "float index": (lambda cp, a: a[cp.ones(1)], IndexError, "integer or boolean"),
    "index in an empty array": (lambda cp, a: a[:0][cp.array([0])], IndexError, "size 0"),
    "number beyond the end": (lambda cp, a: a[3], IndexError, "out of bounds"),
    "float into integers": (lambda cp, a: cp.add(a.astype("i4"), 1.5, out=cp.zeros(3, "i4")),
                            TypeError, "Cannot cast output"),
    "scatter_add of int64": (lambda cp, a: a.astype("i8").scatter_add(cp.array([0]), 1),
                             TypeError, "scatter_add only supports"),
    "set of another dtype": (lambda cp, a: a.set(np.ones(3, "f4")), TypeError, "cannot be set"),
    "a device too many": (lambda cp, a: cp.cuda.Device(2).use(), RuntimeError, "invalid device"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_what_cupy_refuses(cp: Any, case: str) -> None:
    call, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        call(cp, cp.arange(3, dtype=cp.float64))


def test_devices_do_not_mix(cp: Any) -> None:
    with cp.cuda.Device(1):
        there = cp.ones(3)
    assert there.device == cp.cuda.Device(1)
    here = cp.ones(3)
    for call in (
        lambda: here + there,
        lambda: cp.matmul(here, there),
        lambda: here[there.astype("i8")],
        lambda: here.__setitem__(..., there),
        lambda: there.sum(),
    ):
        with pytest.raises(ValueError, match="different from the current device"):
            call()
    assert there.copy().device == cp.cuda.Device(0)


def test_whole_numbers_beyond_the_ends_wrap_around(cp: Any) -> None:
    a = cp.arange(3)
    assert a[cp.array([3, 4, -4])].tolist() == [0, 1, 2]
    assert a.take(cp.array([5])).tolist() == [2]
    assert cp.take_along_axis(a, cp.array([7]), 0).tolist() == [1]
    a[cp.array([4])] = 9
    assert a.tolist() == [0, 9, 2]


def test_a_random_one_of_several_assigned_values_stays(cp: Any) -> None:
    winners = set()
    for _ in range(100):
        a = cp.zeros(1)
        a[cp.zeros(4, "i8")] = cp.arange(4.0)
        winners.add(float(a[0]))
    assert len(winners) > 1


def test_reductions_give_arrays(cp: Any) -> None:
    a = cp.ones((2, 3), "f4")
    for result in (a.sum(), a.max(), cp.argmax(a), cp.any(a), a.mean(), cp.count_nonzero(a)):
        assert type(result) is cp.ndarray
        assert result.shape == ()
    assert type(a[0, 0]) is cp.ndarray


def test_float64_is_the_default(cp: Any) -> None:
    generator = cp.random.default_rng(0)
    for made in (cp.zeros(2), cp.empty(2), generator.random(2), generator.standard_normal(2)):
        assert made.dtype == "f8"


def test_numbers_of_numpy_promote_and_those_of_python_do_not(cp: Any) -> None:
    a = cp.ones(2, "f4")
    assert (a * 2.0).dtype == "f4"
    assert (2 * a).dtype == "f4"
    assert (a * np.float64(2)).dtype == "f8"
    assert (np.float64(2) * a).dtype == "f8"
    assert (a * np.float32(2)).dtype == "f4"
    assert (cp.ones(2, "i4") * 2.0).dtype == "f8"
    assert cp.where(a > 0, a, 0).dtype == "f4"
    assert (a.astype("u1") + 1).dtype == "u1"
    with pytest.raises(OverflowError):
        a.astype("u1") + 300


def test_results_lie_in_row_major_order(cp: Any) -> None:
    a = cp.ones((2, 3), "f4").T
    assert not a.flags.c_contiguous
    assert (a + a).flags.c_contiguous
    assert (a.T + 1).flags.c_contiguous
    assert a.sum(axis=0, keepdims=True).flags.c_contiguous


def test_integers_to_negative_powers_give_a_number(cp: Any) -> None:
    assert (cp.array([1, 2, -1]) ** cp.array([-1, -1, -3])).tolist() == [1, 0, -1]


def test_the_streams_of_numbers_differ_from_numpys(cp: Any) -> None:
    mine = cp.random.default_rng(0).standard_normal(4).get()
    assert not np.allclose(mine, np.random.default_rng(0).standard_normal(4))
    np.testing.assert_array_equal(mine, cp.random.default_rng(0).standard_normal(4).get())


WAITS: dict[str, Callable[[Any, Any], Any]] = {
    "item": lambda cp, a: a[0].item(),
    "float": lambda cp, a: float(a[0]),
    "int": lambda cp, a: int(a[0]),
    "bool": lambda cp, a: bool(a[0] > 0),
    "if": lambda cp, a: 1 if a.sum() > 0 else 0,
    "get": lambda cp, a: a.get(),
    "asnumpy": lambda cp, a: cp.asnumpy(a),
    "tolist": lambda cp, a: a.tolist(),
    "repr": lambda cp, a: repr(a),
    "mask": lambda cp, a: a[a > 0],
    "assignment by a mask": lambda cp, a: a.__setitem__(a > 0, 1.0),
    "nonzero": lambda cp, a: a.nonzero(),
    "where": lambda cp, a: cp.where(a > 0),
    "unique": lambda cp, a: cp.unique(a),
    "device": lambda cp, a: cp.cuda.Device().synchronize(),
    "stream": lambda cp, a: cp.cuda.get_current_stream().synchronize(),
    "event": lambda cp, a: cp.cuda.get_current_stream().record().synchronize(),
    "set from memory that is not pinned": lambda cp, a: a.set(np.ones(3)),
}


@pytest.mark.parametrize("case", WAITS)
def test_counts_and_forbids_waiting(cp: Any, case: str) -> None:
    a = cp.arange(3.0)
    with counting() as counts:
        WAITS[case](cp, a)
    assert counts.synchronizations
    with without_synchronization(), pytest.raises(Synchronized):
        WAITS[case](cp, a)


def test_counts_what_is_launched_and_copied(cp: Any) -> None:
    host = np.ones((4, 4), "f4")
    with counting() as counts, without_synchronization():
        a = cp.asarray(host)
        b = (a * 2 + a).sum(axis=0)
        c = a @ a
        d = cp.zeros_like(a)
        c[...] = d
        cp.array(1.0)
    assert counts.kernels == ["cupy_multiply", "cupy_add", "cupy_sum", "fill"]
    assert (counts.gemms, counts.memsets, counts.device_copies) == (1, 1, 1)
    assert (counts.to_device, counts.to_host, counts.synchronizations) == (1, 0, [])
    assert counts.launches == 5
    with counting() as counts:
        cp.asnumpy(b)
    assert (counts.to_host, len(counts.synchronizations)) == (1, 1)


def test_views_share_memory_and_know_their_base(cp: Any) -> None:
    a = cp.arange(6.0)
    view = a.reshape(2, 3)[1].T
    assert view.base is a
    view[...] = 0
    assert a.tolist() == [0, 1, 2, 0, 0, 0]
    with counting() as counts:
        a.reshape(2, 3).T.reshape(6)
    assert counts.kernels == ["cupy_copy"]
    wide = cp.broadcast_to(a[:1], (2, 3))
    wide[...] = 7  # CuPy has no arrays that can't be written to
    assert a[0] == 7


def test_the_pool_counts_what_arrays_hold(cp: Any) -> None:
    pool = cp.get_default_memory_pool()
    before = pool.used_bytes()
    a = cp.zeros(1024, "f4")
    view = a[3:]
    assert pool.used_bytes() - before == 4096
    del a
    assert pool.used_bytes() - before == 4096
    del view
    assert pool.used_bytes() == before


def test_copies_from_pinned_memory_do_not_wait(cp: Any) -> None:
    import cupyx

    host = cupyx.empty_pinned((2, 3), np.float32)
    host[...] = 1
    a, stream = cp.empty((2, 3), "f4"), cp.cuda.Stream(non_blocking=True)
    with without_synchronization():
        a.set(host, stream)
        event = stream.record()
    host[...] = 2  # too early
    with pytest.raises(WrittenTooEarly):
        event.synchronize()
    host[...] = 1
    event.synchronize()
    host[...] = 3  # in time
    stream.synchronize()
    assert (a == 1).all()
    a.set(host, stream)
    with without_synchronization():
        assert stream.record().done
    host[...] = 4  # in time, too
    stream.synchronize()


@NEEDS_COMPILER
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_kernels_run_their_own_text(cp: Any, dtype: str) -> None:
    kernel = cp.ElementwiseKernel(
        "T x, raw T table, int32 shift", "T y", "y = half_of(x) + table[i % table.size()] + shift",
        "shifted", preamble="template <typename U> __device__ U half_of(U x) { return x / (U)2; }",
    )  # fmt: skip
    x, table = np.arange(12, dtype=dtype).reshape(3, 4), np.arange(5, dtype=dtype)
    for mine in (x, x.T, x[::2, 1:], np.flip(x)):
        expected = mine / 2 + np.resize(table, mine.shape) + 3
        with counting() as counts:
            y = kernel(_on_device(cp, mine), cp.asarray(table), 3)
        assert counts.kernels[-1] == "shifted"
        assert y.dtype == dtype
        np.testing.assert_allclose(y.get(), expected, rtol=1e-3)


def _on_device(cp: Any, host: np.ndarray) -> Any:
    """The array with its strides, of which a copy to a device keeps none."""
    array = cp.asarray(host)
    array._host = host
    return array


@NEEDS_COMPILER
def test_kernels_are_as_strict_as_cupys(cp: Any) -> None:
    kernel = cp.ElementwiseKernel("T x, T y", "T z", "z = x + y", "sums")
    a = cp.ones(3, "f4")
    with pytest.raises(TypeError, match="Type is mismatched"):
        kernel(a, a.astype("f8"))
    with pytest.raises(TypeError, match="Unsupported type"):
        kernel(a, np.ones(3, "f4"))
    with pytest.raises(ValueError, match="Out shape is mismatched"):
        kernel(a, a, cp.empty((2, 3), "f4")[0, :1])
    with pytest.raises(ValueError, match="Loop size is undecided"):
        kernel(1.0, 2.0)
    with pytest.raises(ValueError, match="as a parameter name"):
        cp.ElementwiseKernel("T i", "T z", "z = i")
    outside = cp.ElementwiseKernel("raw T x", "T z", "z = x[i + 1]", "outside")
    with pytest.raises(AssertionError, match="leaves the bounds"):
        outside(a, cp.empty(3, "f4"))
    wrong = cp.ElementwiseKernel("T x", "T z", "z = undeclared(x)", "wrong")
    with pytest.raises(RuntimeError, match="does not compile"):
        wrong(a)


@NEEDS_COMPILER
def test_float16_in_kernels_rounds_as_numpys(cp: Any) -> None:
    kernel = cp.ElementwiseKernel("float32 x", "float16 y", "y = x", "narrow")
    back = cp.ElementwiseKernel("float16 x", "float32 y", "y = x", "widened")
    bits = np.random.default_rng(0).integers(0, 2**32, 20_000, np.uint32)
    edges = [0.0, -0.0, np.inf, -np.inf, np.nan, 65504, 65519.9, 65520, 2**-24, 2**-25, 6.1e-5]
    with np.errstate(all="ignore"):
        x = np.concatenate([bits.view("f4"), np.linspace(-9, 9, 5_000), edges]).astype("f4")
        expected = x.astype("f2")
    narrow = kernel(cp.asarray(x))
    np.testing.assert_array_equal(narrow.get(), expected)
    np.testing.assert_array_equal(back(narrow).get(), expected.astype("f4"))
