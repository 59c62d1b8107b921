"""Arrays that stand for those of a program: what is done with them is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.compiled.instructions import NotCompiledError

# Methods of arrays that only make views, or that go through a function which is written down.
ALLOWED = {
    "max", "min", "prod", "ravel", "reshape", "squeeze", "sum", "swapaxes", "transpose", "view",
}  # fmt: skip


class Traced(np.ndarray):
    """A view of the memory of a root, made by NumPy: its place, shape and strides are real.

    NumPy hands every function of such arrays to `__array_ufunc__` or `__array_function__`, and
    those hand it to the emitter, which writes down an instruction or raises NotCompiledError. The
    numbers in the memory mean nothing, so every way to look at them raises, too.
    """

    emitter: Any  # what writes down

    def __array_finalize__(self, obj: Any) -> None:
        self.emitter = getattr(obj, "emitter", None)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return self.emitter.ufunc(ufunc, method, inputs, **kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.emitter.function(func, args, kwargs)

    def __getitem__(self, key: Any) -> Any:
        if _is_advanced(key):
            return self.emitter.taken(self, key)
        found = super().__getitem__(key)
        if isinstance(found, np.generic):  # NumPy would return a scalar: stay an array
            found = super().__getitem__((*(key if isinstance(key, tuple) else (key,)), ...))
        return found

    def __setitem__(self, key: Any, value: Any) -> None:
        if _is_advanced(key):
            self.emitter.put(self, key, value)
        else:
            self.emitter.copy(value, self[key])

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """Return a copy in another dtype."""
        return self.emitter.cast(self, np.dtype(dtype), like=[self])

    def reshape(self, *shape: Any) -> Any:  # type: ignore[override]
        """Return a view, or where the elements lie in another order, a view of a copy."""
        found = super().reshape(*shape)
        is_view = self.size == 0 or np.may_share_memory(
            found.view(np.ndarray), self.view(np.ndarray)
        )
        return found if is_view else self.copy().reshape(*shape)

    def copy(self, *args: Any, **kwargs: Any) -> Any:
        """Return a copy."""
        return self.emitter.cast(self, self.dtype)

    def fill(self, value: Any) -> None:
        """Set all elements to a number."""
        self.emitter.copy(value, self)


def _is_advanced(key: Any) -> bool:
    return any(
        isinstance(part, np.ndarray | list) for part in (key if isinstance(key, tuple) else (key,))
    )


def _refuse(name: str) -> Callable[..., Any]:
    def refused(self: Traced, *args: Any, **kwargs: Any) -> Any:
        raise NotCompiledError(f"numpy.ndarray.{name}")

    return refused


for _name in dir(np.ndarray):
    if not _name.startswith("__") and _name not in ALLOWED and _name not in vars(Traced):
        if callable(getattr(np.ndarray, _name)):
            setattr(Traced, _name, _refuse(_name))
for _name in ("__bool__", "__float__", "__int__", "__index__", "__complex__", "__contains__"):
    setattr(Traced, _name, _refuse(_name))
