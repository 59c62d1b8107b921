"""NumPy's names of arguments, which torch accepts beside its own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

_OURS = {"axis": "dim", "keepdims": "keepdim"}


def numpy_names(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function accept `axis` for `dim` and `keepdims` for `keepdim`."""

    @functools.wraps(function)
    def with_either_name(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            kwargs = {_OURS.get(name, name): value for name, value in kwargs.items()}
        return function(*args, **kwargs)

    return with_either_name
