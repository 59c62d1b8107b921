"""Keywords that many functions share: those of new tensors, and NumPy's names beside torch's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypedDict, TypeVar

from autograd.backend import DType
from autograd.dtypes import DeviceLike, DTypeLike, dtype_argument

R = TypeVar("R")
_OURS = {"axis": "dim", "keepdims": "keepdim"}


class Options(TypedDict, total=False):
    """The keywords of the functions that make a tensor."""

    dtype: DTypeLike | None
    device: DeviceLike | None
    requires_grad: bool


def settings_of(
    function: str,
    default: DType,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    requires_grad: bool = False,
) -> tuple[DType, DeviceLike | None, bool]:
    """Return what the options of a function mean; `default` is the dtype where none is given."""
    wanted = default if dtype is None else dtype_argument(function, dtype)
    return wanted, device, requires_grad


def numpy_names(function: Callable[..., R]) -> Callable[..., R]:
    """Make a function accept `axis` for `dim` and `keepdims` for `keepdim`."""

    @functools.wraps(function)
    def with_either_name(*args: Any, **kwargs: Any) -> R:
        if kwargs:
            kwargs = {_OURS.get(name, name): value for name, value in kwargs.items()}
        return function(*args, **kwargs)

    return with_either_name
