"""The engine: runs operations on tensors, and records those whose gradient somebody will need.

It knows a tensor by its underscored fields only (see `tensor.Tensor`) and never imports it.
`unary` and `binary` are `apply` for the commonest cases, in as few steps as possible: they are what
a small operation costs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from autograd.backend import NUMPY, backend_of, same_memory
from autograd.grad_mode import state
from autograd.graph import record
from autograd.ops.op import Op
from autograd.promotion import promote_inputs

FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


def needs_grad(value: Any) -> bool:
    """Whether a tensor (or number) needs a gradient; brings a view in step."""
    return value.requires_grad if hasattr(value, "_array") else False


def apply(op: Op, *inputs: Any, **settings: Any) -> Any:
    """Run an operation on tensors (and numbers), and record it if anyone will need its gradient."""
    arrays = [getattr(x, "_array", x) for x in inputs]
    if op.promote != "none" or op.bool_error is not None:
        arrays = promote_inputs(op, arrays)
    tensor = inputs[0]
    if not hasattr(tensor, "_array"):
        tensor = next(x for x in inputs if hasattr(x, "_array"))
    array = tensor._array
    if type(array) is ndarray:
        xp = NUMPY
    else:
        xp = backend_of(array)
        xp.check_same_device(arrays)
    try:
        outs = state.run_silently(op.forward, xp, *arrays, **settings)
    except ValueError as error:
        raise _in_torchs_words(error, arrays) from None
    if op.outs == 1:
        outs = (outs,)
    outs = [o if type(o) is type(array) else xp.array_of(o) for o in outs]
    results = [tensor._wrap(o) for o in outs]
    if op.view and same_memory(outs[0], array):
        for result in results:
            tensor._mark_view(result, op, settings)
    if not state.recording:
        if state.inference:
            _mark_inference(tensor, results)
    elif op.differentiable:
        needs = tuple([needs_grad(x) for x in inputs])
        if True in needs:
            node = record(op, needs, inputs, arrays, outs, results, settings)
            for number in range(op.differentiable_outs):
                if outs[number].dtype.kind == "f":
                    results[number]._set_history(node, number)
    return results[0] if op.outs == 1 else tuple(results)


def _mark_inference(tensor: Any, results: Any) -> None:
    """Results made in inference mode are inference tensors, but for views of normal tensors."""
    for result in results:
        result._inference = result._view is None or tensor._inference


def unary(op: Op, input: Any) -> Any:
    """`apply` for one tensor and no settings: the same thing in fewer steps."""
    try:
        array = input._array
    except AttributeError:
        raise _not_a_tensor(op, input) from None
    if type(array) is not ndarray or (op.float_only and array.dtype.kind != "f"):
        return apply(op, input)
    out = state.run_silently(op.forward, NUMPY, array)
    if type(out) is not ndarray:
        out = np.asarray(out)
    result = input._wrap(out)
    if not state.recording:
        result._inference = state.inference
    elif (
        input._requires_grad if input._view is None else input.requires_grad
    ) and op.differentiable:
        result._grad_fn = record(op, (True,), (input,), (array,), (out,), (result,), {})
        result._requires_grad = True
    return result


def binary(op: Op, input: Any, other: Any) -> Any:
    """`apply` for two tensors, or a tensor and a number, and no settings, in fewer steps."""
    a = getattr(input, "_array", input)
    b = getattr(other, "_array", other)
    if (b is other and type(b) is ndarray) or (a is input and type(a) is ndarray):
        raise _not_a_tensor(op, other if b is other else input)
    if type(a) is ndarray:
        tensor, dtype = input, a.dtype
        plain = type(b) is float or type(b) is int or (type(b) is ndarray and b.dtype is dtype)
    elif type(b) is ndarray:
        tensor, dtype = other, b.dtype
        plain = type(a) is float or type(a) is int
    else:
        if hasattr(input, "_array") or hasattr(other, "_array"):
            return apply(op, input, other)
        raise _not_a_tensor(op, input)
    if not plain or (dtype is not FLOAT32 and dtype is not FLOAT64):
        return apply(op, input, other)
    try:
        out = state.run_silently(op.forward, NUMPY, a, b)
    except ValueError as error:
        raise _in_torchs_words(error, [a, b]) from None
    if type(out) is not ndarray:
        out = np.asarray(out)
    result = tensor._wrap(out)
    if not state.recording:
        if state.inference:
            result._inference = True
    elif op.differentiable:
        needs = needs_grad(input), needs_grad(other)
        if True in needs:
            result._grad_fn = record(op, needs, (input, other), (a, b), (out,), (result,), {})
            result._requires_grad = True
    return result


def _not_a_tensor(op: Op, value: Any) -> TypeError:
    return TypeError(
        f"{op.name.lower()}(): argument 'input' (position 1) must be Tensor, "
        f"not {type(value).__name__}"
    )


def _in_torchs_words(error: ValueError, arrays: list[Any]) -> Exception:
    """NumPy's error about shapes that do not broadcast, as torch puts it; others as they are."""
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
