"""`tensor[index]`, and what `tensor[index] = value` assigns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.backend import Array, backend_of, loaded
from autograd.engine.apply import apply, on_one_device
from autograd.engine.grad_mode import state
from autograd.functional.checks import type_name, type_text
from autograd.functional.index_parsing import parse
from autograd.ops import indexing as ops

if TYPE_CHECKING:
    from autograd.types import Tensor


def getitem(input: Tensor, index: Any) -> Tensor:
    """`input[index]`: a view for slices and whole numbers, a copy for tensors of indices."""
    parsed = parse(input._array, index)
    if parsed.advanced is None:
        return apply(ops.views[parsed.kind], input, index=parsed.basic)
    if parsed.kind != "Alias":
        input = apply(ops.views[parsed.kind], input, index=parsed.basic)
    return apply(ops.take, input, index=_kept(parsed.advanced, input))


def _kept(advanced: tuple[Any, ...], *tensors: Any) -> tuple[Any, ...]:
    """Copy index arrays that backward will need: their tensors may change."""
    if state.recording and any(t.requires_grad for t in tensors if hasattr(t, "_array")):
        return tuple(
            part if isinstance(part, slice) else state.run_silently(_copied, part)
            for part in advanced
        )
    return advanced


def _copied(array: Array) -> Array:
    return array.copy()


def prepare_setitem(tensor: Tensor, index: Any, value: Any) -> tuple[ops.Index, Any]:
    """Parse the index, and return it with the value, a tensor or number that fits there."""
    array = tensor._array
    parsed = parse(array, index)
    if parsed.advanced is not None:
        parsed = parsed._replace(advanced=_kept(parsed.advanced, tensor, value))
    if not hasattr(value, "_array"):
        if not isinstance(value, bool | int | float):
            raise TypeError(
                f"can't assign a {type_text(value)} to a torch.{type_name(array)}Tensor"
            )
        return parsed, value
    part = array[parsed.basic]
    if parsed.advanced is None:
        return parsed, _fit_slice(value, part.shape)
    if value._array.dtype != array.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{type_name(array)} for the destination and {type_name(value._array)} for the source."
        )
    if loaded:
        on_one_device((tensor, value))
    return parsed, _fit_indexed(value, part, parsed.advanced)


def _fit_slice(value: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Drop leading dimensions of size 1 that the target lacks; RuntimeError if it does not fit."""
    value = _without_leading_ones(value, len(shape))
    given = value._array.shape
    if len(given) > len(shape):
        raise RuntimeError(
            f"expand(torch.{type_name(value._array)}Tensor{{{list(given)}}}, size={list(shape)}): "
            f"the number of sizes provided ({len(shape)}) must be greater or equal to the number "
            f"of dimensions in the tensor ({len(given)})"
        )
    for i in range(1, len(given) + 1):
        if given[-i] not in (1, shape[-i]):
            raise RuntimeError(
                f"The expanded size of the tensor ({shape[-i]}) must match the existing size "
                f"({given[-i]}) at non-singleton dimension {len(shape) - i}.  Target sizes: "
                f"{list(shape)}.  Tensor sizes: {list(given)}"
            )
    return value


def _fit_indexed(value: Tensor, part: Array, advanced: tuple[Any, ...]) -> Tensor:
    # Computed without reading an element.
    shape = np.broadcast_to(np.False_, part.shape)[tuple(map(_on_host, advanced))].shape
    value = _without_leading_ones(value, len(shape))
    given = value._array.shape
    fits = len(given) <= len(shape) and all(
        n in (1, shape[len(shape) - len(given) + i]) for i, n in enumerate(given)
    )
    if not fits:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(given)} cannot be broadcast to indexing "
            f"result of shape {list(shape)}"
        )
    return value


def _on_host(part: Any) -> Any:
    return part if isinstance(part, slice) else backend_of(part).to_numpy(part)


def _without_leading_ones(value: Tensor, ndim: int) -> Tensor:
    shape = value._array.shape
    extra = 0
    while len(shape) - extra > ndim and shape[extra] == 1:
        extra += 1
    return value.reshape(shape[extra:]) if extra else value
