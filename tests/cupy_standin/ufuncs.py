"""Universal functions: the loops of CuPy's own table, with NEP 50's promotion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.cupy_standin.counts import recorder
from tests.cupy_standin.ndarray import check_device, ndarray, new

KIND = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
WEAK: dict[type, tuple[np.dtype, type]] = {
    int: (np.dtype("i8"), int),
    float: (np.dtype("f8"), float),
    complex: (np.dtype("c16"), complex),
}
MISSING = object()


def operand(value: Any) -> tuple[np.dtype, Any]:
    """Its dtype, and the type of Python's whose numbers give way to arrays, or None."""
    kind = type(value)
    if kind is ndarray:
        return value._host.dtype, None
    if kind is bool:
        return np.dtype("?"), None
    if kind in WEAK:
        if kind is int and value >= 2**63:
            return np.dtype("u8"), int
        return WEAK[kind]
    if isinstance(value, np.generic):
        return value.dtype, None
    raise TypeError(f"Unsupported type {kind}")


class ufunc:
    """One universal function: `types` are its loops, the first that fits is taken."""

    def __init__(
        self,
        name: str,
        types: str,
        function: Callable[..., Any],
        scatter: Callable[..., Any] | None = None,
    ) -> None:
        self.name = f"cupy_{name}"
        self.types = types.split()
        self.nin = self.types[0].index("-")
        self.nout = 1
        self.nargs = self.nin + self.nout
        self._function = function
        self._scatter = scatter
        self._loops = [([np.dtype(c) for c in t[: self.nin]], np.dtype(t[-1])) for t in self.types]
        self._found: dict[Any, Any] = {}

    def __repr__(self) -> str:
        return f"<ufunc '{self.name}'>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        out, where = kwargs.pop("out", None), kwargs.pop("where", MISSING)
        dtype, casting = kwargs.pop("dtype", None), kwargs.pop("casting", "same_kind")
        if kwargs:
            raise TypeError(f"Wrong arguments {kwargs}")
        if not self.nin <= len(args) <= self.nargs:
            raise TypeError(f"Wrong number of arguments for {self.name!r}")
        if len(args) == self.nargs:
            if out is not None:
                raise ValueError("Cannot specify 'out' as both a positional and keyword argument")
            *args, out = args  # type: ignore[assignment]
        if isinstance(out, tuple):
            (out,) = out
        check_device(*args, out)
        in_dtypes, out_dtype = self._loop(args, dtype)
        hosts = [
            _cast(a._host if type(a) is ndarray else a, d)
            for a, d in zip(args, in_dtypes, strict=True)
        ]
        if where is not MISSING:
            raise NotImplementedError("the stand-in computes everywhere")
        return self._run(hosts, out, out_dtype, casting)

    def _run(self, hosts: list[Any], out: Any, out_dtype: np.dtype, casting: str) -> Any:
        if out is not None:
            if type(out) is not ndarray:
                raise TypeError(f"Unsupported type {type(out)}")
            if not np.can_cast(out_dtype, out.dtype, casting):  # type: ignore[arg-type]
                raise TypeError(
                    f"Cannot cast output operand from {out_dtype!r} to {out.dtype!r} "
                    f"with casting rule {casting!r}"
                )
        shape = np.broadcast_shapes(*(np.shape(h) for h in hosts))
        if out is not None:
            if np.broadcast_shapes(shape, out.shape) != out.shape:
                raise ValueError("Out shape is mismatched")
        recorder.kernel(self.name)
        with np.errstate(all="ignore"):
            if out is None:
                result = np.empty(shape, out_dtype)  # always row-major, whatever came in
                result[...] = self._function(*hosts)
                return new(result)
            out._host[...] = self._function(*hosts)
            return out

    def _loop(self, args: Any, dtype: Any) -> tuple[list[np.dtype], np.dtype]:
        if dtype is not None:
            wanted = np.dtype(dtype)
            for loop in self._loops:
                if loop[1] == wanted:
                    return loop
            raise TypeError(f"Wrong type ({dtype}) of arguments for {self.name}")
        operands = [operand(a) for a in args]
        key = tuple(operands)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._find(operands)
        return found

    def _find(self, operands: list[tuple[np.dtype, Any]]) -> tuple[list[np.dtype], np.dtype]:
        if not _numbers_give_way(operands):
            operands = [(d, None) for d, _ in operands]
        for loop in self._loops:
            if all(_fits(d, weak, to) for (d, weak), to in zip(operands, loop[0], strict=True)):
                return loop
        raise TypeError(
            f"Wrong type ({tuple(d for d, _ in operands)}) of arguments for {self.name}"
        )

    def reduce(
        self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False
    ) -> Any:
        """Sums and products; CuPy has no other."""
        if self.name == "cupy_add":
            return array.sum(axis, dtype, out, keepdims)
        if self.name == "cupy_multiply":
            return array.prod(axis, dtype, out, keepdims)
        raise NotImplementedError(f"`{self.name}.reduce` is not supported yet")

    def accumulate(self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
        """Running sums and products; CuPy has no other."""
        if self.name == "cupy_add":
            return array.cumsum(axis, dtype, out)
        if self.name == "cupy_multiply":
            return array.cumprod(axis, dtype, out)
        raise NotImplementedError(f"`{self.name}.accumulate` is not supported yet")

    def reduceat(self, array: Any, indices: Any, axis: Any = 0, dtype: Any = None) -> Any:
        """Not in the stand-in."""
        raise NotImplementedError(f"`{self.name}.reduceat` is not supported yet")

    def at(self, a: Any, indices: Any, b: Any = None) -> None:
        """Change elements in place, repeated ones repeatedly; for few functions."""
        if self._scatter is None:
            raise NotImplementedError(f"`{self.name}.at` is not supported yet")
        self._scatter(a, indices, b)


def _fits(dtype: np.dtype, weak: Any, to: np.dtype) -> bool:
    if np.can_cast(dtype, to):
        return True
    return weak is not None and np.result_type(weak(0), to) == to


def _numbers_give_way(operands: list[tuple[np.dtype, Any]]) -> bool:
    strong = [KIND[d.kind] for d, weak in operands if weak is None]
    weak = [KIND[d.kind] for d, weak in operands if weak is not None]
    return bool(strong and weak) and max(strong) >= max(weak)


def _cast(host: Any, dtype: np.dtype) -> Any:
    if type(host) is np.ndarray:
        with np.errstate(all="ignore"):
            return host.astype(dtype, copy=False)
    return np.asarray(host, dtype)  # OverflowError for an integer that does not fit
