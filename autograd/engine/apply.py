"""Run operations on tensors, and record those whose gradient will be needed.

The engine uses only the underscored fields of a tensor (see `Tensor`) and never imports its class.
`unary` and `binary` are fast versions of `apply` for the commonest cases: in a small operation, the
Python around the arithmetic is most of the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from autograd.backend import NUMPY, Array, Backend, backend_of, loaded, place, same_memory
from autograd.dtypes import device
from autograd.engine.grad_mode import enable_grad, state
from autograd.engine.promotion import promote_inputs
from autograd.engine.record import record
from autograd.engine.views import forbidden, mark
from autograd.ops import assignment
from autograd.ops import shape as shape_ops
from autograd.ops.op import Op

if TYPE_CHECKING:
    from autograd.types import Tensor

new = object.__new__
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


def needs_grad(value: Any) -> bool:
    """Whether a tensor (or number) needs a gradient; this renews a view's history."""
    if not hasattr(value, "_array"):
        return False
    if value._view is not None:
        refresh(value)
        return value.requires_grad
    return value._requires_grad


def apply(op: Op, *inputs: Any, **settings: Any) -> Any:
    """Run an operation on tensors and numbers; record it if an input needs a gradient."""
    if loaded:
        inputs = on_one_device(inputs)
    arrays = [getattr(x, "_array", x) for x in inputs]
    if op.promotes:
        arrays = promote_inputs(op, arrays)
    tensor = inputs[0]
    if not hasattr(tensor, "_array"):
        tensor = next(x for x in inputs if hasattr(x, "_array"))
    array = tensor._array
    xp = NUMPY if type(array) is ndarray else backend_of(array)
    run, recording, inference, _ = state.now
    try:
        out = run(op.forward, xp, *arrays, **settings)
    except ValueError as error:
        raise _in_torchs_words(error, arrays) from None
    out, kept = out if op.keeps else (out, None)
    results = [_wrap(tensor, o, xp) for o in (out if op.outs > 1 else (out,))]
    if op.view and same_memory(results[0]._array, array):
        for result in results:
            mark(tensor, result, op, settings)
    if recording and op.differentiable:
        _record(op, inputs, arrays, results, settings, kept)
    elif inference:
        _mark_inference(tensor, results)
    return results[0] if op.outs == 1 else tuple(results)


def on_one_device(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Move 0-d tensors from the CPU to the GPU of the other inputs, as torch does.

    RuntimeError for any other mixture of devices: nothing else moves by itself.
    """
    tensors = [x for x in inputs if hasattr(x, "_array")]
    places = {backend_of(x._array).device_index(x._array) for x in tensors}
    if len(places) == 1:
        return inputs
    devices = list(dict.fromkeys(x.device for x in tensors))
    on_gpus = [device for device in devices if device.type == "cuda"]
    if len(on_gpus) > 1 or any(x._array.ndim for x in tensors if x.device.type == "cpu"):
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, "
            f"{devices[0]} and {devices[1]}!"
        )
    return tuple(
        moved(x, on_gpus[0]) if type(getattr(x, "_array", None)) is ndarray else x for x in inputs
    )


def moved(tensor: Tensor, device: device) -> Tensor:
    """A copy of a tensor on another device, through which gradients come back."""
    result = tensor._wrap(place(tensor._array, device))
    settings = {"device": device, "source": tensor.device}
    if state.recording:
        _record(shape_ops.to_device, (tensor,), [tensor._array], [result], settings)
    result._inference = state.inference
    return result


def _mark_inference(tensor: Tensor, results: list[Any]) -> None:
    """Mark results as inference tensors, except views of normal tensors."""
    for result in results:
        result._inference = result._view is None or tensor._inference


def _wrap(tensor: Tensor, array: Array, xp: Backend) -> Tensor:
    """Wrap a result in a tensor; NumPy returns 0-d results as scalars."""
    result = new(tensor._plain)
    result._array = array if type(array) is ndarray else xp.array_of(array)
    return result


def _record(
    op: Op,
    inputs: Sequence[Any],
    arrays: Sequence[Any],
    results: list[Any],
    settings: dict[str, Any],
    kept: Any = None,
) -> None:
    try:
        needs = tuple([x._requires_grad if x._view is None else needs_grad(x) for x in inputs])
    except AttributeError:  # one of the inputs is a number
        needs = tuple([needs_grad(x) for x in inputs])
    if True in needs:
        outs = [result._array for result in results]
        node = record(op, needs, inputs, arrays, outs, results, settings, kept)
        for number in range(op.differentiable_outs):
            if outs[number].dtype.kind == "f":
                results[number]._set_history(node, number)


def refresh(tensor: Any) -> None:
    """Recompute the history of a view whose memory has changed in place since."""
    view = tensor._view
    base = view.base
    if view.version == tensor._cell[0] or not base._requires_grad:
        return
    if view.creation != "default":
        raise forbidden(tensor, "its base or another view of its base has been")
    view.version = tensor._cell[0]
    with enable_grad():
        again = base
        for op, settings in assignment.in_order(view.steps):
            again = apply(op, again, **settings)
    tensor._set_history(again._grad_fn, again._output_nr)


def unary(op: Op, input: Tensor) -> Tensor:
    """Do what `apply` does, in fewer steps, for one tensor without settings."""
    try:
        array = input._array
    except AttributeError:
        raise _not_a_tensor(op, input) from None
    dtype = array.dtype
    if (dtype is not FLOAT32 and dtype is not FLOAT64) or type(array) is not ndarray:
        return apply(op, input)
    run, recording, inference, _ = state.now
    out = run(op.forward, NUMPY, array)
    result = new(input._plain)
    result._array = out if type(out) is ndarray else np.asarray(out)
    if recording:
        needed = input._requires_grad if input._view is None else needs_grad(input)
        if needed and op.differentiable:
            node = record(op, (True,), (input,), (array,), (result._array,), (result,), None)
            result._grad_fn, result._requires_grad = node, True
    elif inference:
        result._inference = True
    return result


def binary(op: Op, input: Any, other: Any) -> Tensor:
    """Do what `apply` does, in fewer steps, for two operands without settings."""
    try:
        a = input._array
        b: Any = other if type(other) is float or type(other) is int else other._array
    except AttributeError:
        return _mixed(op, input, other)
    dtype = a.dtype
    if (
        (dtype is not FLOAT32 and dtype is not FLOAT64)
        or (b is not other and (b.dtype is not dtype or type(b) is not ndarray))
        or type(a) is not ndarray
    ):
        return apply(op, input, other)
    run, recording, inference, _ = state.now
    try:
        out = run(op.forward, NUMPY, a, b)
    except ValueError as error:
        raise _in_torchs_words(error, [a, b]) from None
    result = new(input._plain)
    result._array = out if type(out) is ndarray else np.asarray(out)
    if recording:
        if op.differentiable:
            needs = (
                input._requires_grad if input._view is None else needs_grad(input),
                b is not other
                and (other._requires_grad if other._view is None else needs_grad(other)),
            )
            if True in needs:
                outs = (result._array,)
                node = record(op, needs, (input, other), (a, b), outs, (result,), None)
                result._grad_fn, result._requires_grad = node, True
    elif inference:
        result._inference = True
    return result


def _mixed(op: Op, input: Any, other: Any) -> Tensor:
    """Apply an operation to a tensor and a number; TypeError for arrays or two numbers."""
    for value in (input, other):
        if isinstance(value, ndarray):
            raise _not_a_tensor(op, value)
    if not (hasattr(input, "_array") or hasattr(other, "_array")):
        raise _not_a_tensor(op, input)
    return apply(op, input, other)


def _not_a_tensor(op: Op, value: Any) -> TypeError:
    return TypeError(
        f"{op.name.lower()}(): argument 'input' (position 1) must be Tensor, "
        f"not {type(value).__name__}"
    )


def _in_torchs_words(error: ValueError, arrays: list[Any]) -> Exception:
    """Reword NumPy's error about shapes that do not broadcast as torch's; keep others."""
    if "broadcast" not in str(error):
        return error
    known: tuple[int, ...] = ()
    for shape in (getattr(array, "shape", ()) for array in arrays):
        ndim = max(len(known), len(shape))
        a, b = ((1,) * (ndim - len(s)) + tuple(s) for s in (known, shape))
        for dim in reversed(range(ndim)):
            if a[dim] != b[dim] and 1 not in (a[dim], b[dim]):
                return RuntimeError(
                    f"The size of tensor a ({a[dim]}) must match the size of tensor b ({b[dim]}) "
                    f"at non-singleton dimension {dim}"
                )
        known = tuple(n if m == 1 else m for m, n in zip(a, b, strict=True))
    return error
