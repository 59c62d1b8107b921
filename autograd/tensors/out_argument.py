"""`out=`: a tensor that receives the result of a function."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograd.engine.apply import needs_grad
from autograd.engine.grad_mode import state
from autograd.tensors.inplace_rules import check, write

if TYPE_CHECKING:
    from autograd.types import Tensor


def with_out(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function accept `out=`, which works only outside the graph, as in torch."""

    @functools.wraps(function)
    def with_optional_out(*args: Any, **kwargs: Any) -> Any:
        if "out" not in kwargs:
            return function(*args, **kwargs)
        out = kwargs.pop("out")
        if out is None:
            return function(*args, **kwargs)
        _check_out(function.__name__, out, (*args, *kwargs.values()))
        return _fill(out, function(*args, **kwargs))

    return with_optional_out


def _check_out(name: str, out: Any, arguments: tuple[Any, ...]) -> None:
    if not hasattr(out, "_array"):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if state.recording and any(needs_grad(x) for x in (out, *arguments)):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )


def _fill(out: Tensor, result: Tensor) -> Tensor:
    check(out, ())
    if out.shape != result.shape:
        if out.numel():
            warnings.warn(
                f"An output with one or more elements was resized since it had shape "
                f"{list(out.shape)}, which does not match the required output shape "
                f"{list(result.shape)}.",
                UserWarning,
                stacklevel=3,
            )
        out._array = result._array.astype(out._array.dtype)
    write(out, result._array)
    return out
