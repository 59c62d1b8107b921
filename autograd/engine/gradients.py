"""`backward` and `grad`, with the checks of their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd.backend import Array, Backend, DType, backend_of
from autograd.engine.array_functions import PLAIN, accumulate
from autograd.engine.backward import BackwardPass, Root
from autograd.engine.grad_mode import refuse_capture, state
from autograd.engine.node import Edge, grad_edge
from autograd.errors import NotOfferedError

if TYPE_CHECKING:
    from autograd.types import Tensor


def backward(
    tensors: Tensor | Sequence[Tensor],
    grad_tensors: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add the gradients of `tensors` to the `.grad` of the leaves, or of `inputs` alone."""
    _refuse_create_graph(create_graph)
    outputs = _as_sequence(tensors)
    if inputs is not None:
        inputs = _as_sequence(inputs)
        if not inputs:
            raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    if not outputs:
        return
    roots = _roots(outputs, _as_sequence(grad_tensors, len(outputs)))
    if retain_graph:
        refuse_capture("a graph is kept")
    functions = PLAIN if state.recorder is None else state.recorder.array_functions
    backward_pass = BackwardPass(roots, bool(retain_graph), outputs[0]._wrap, functions)
    if inputs is None:
        backward_pass.run()
        return
    for tensor in inputs:
        if not tensor.is_leaf or not tensor.requires_grad:
            tensor.retain_grad()
    for tensor, arrived in zip(inputs, backward_pass.gradients_at(_edges(inputs)), strict=True):
        if arrived is not None and tensor.is_leaf:
            accumulate(tensor, *arrived)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Tensor | Sequence[Tensor | None] | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` with respect to `inputs`; no `.grad` is touched."""
    _refuse_create_graph(create_graph)
    outputs, inputs = _as_sequence(outputs), _as_sequence(inputs)
    if not inputs:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    roots = _roots(outputs, _as_sequence(grad_outputs, len(outputs)))
    edges = _edges(inputs)
    results = []
    backward_pass = BackwardPass(roots, bool(retain_graph), inputs[0]._wrap)
    arrived = backward_pass.gradients_at(edges)
    for i, (tensor, known) in enumerate(zip(inputs, arrived, strict=True)):
        if known is not None:
            gradient, owned = known
            results.append(tensor._wrap(gradient if owned else gradient.copy()))
        elif materialize_grads:
            results.append(tensor._wrap(backend_of(tensor._array).zeros_like(tensor._array)))
        elif allow_unused:
            results.append(None)
        else:
            raise RuntimeError(
                f"The differentiated Tensor at index {i} appears to not have been used in the "
                "graph. Set allow_unused=True if this is the desired behavior."
            )
    return tuple(results)


def _edges(tensors: list[Any]) -> list[Edge]:
    for tensor in tensors:
        if not tensor.requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    return [grad_edge(tensor) for tensor in tensors]


def _refuse_create_graph(create_graph: bool) -> None:
    if create_graph:
        raise NotOfferedError(
            "create_graph=True: autograd does not offer double backward (gradients of gradients)"
        )


def _as_sequence(value: Any, length: int = 0) -> list[Any]:
    if value is None:
        return [None] * length
    if hasattr(value, "_array"):
        return [value]
    return list(value)


def _roots(outputs: list[Any], gradients: list[Any]) -> list[Root]:
    for gradient in gradients:
        if gradient is not None and not hasattr(gradient, "_array"):
            raise TypeError(
                f"gradients can be either Tensors or None, but got {type(gradient).__name__}"
            )
    if len(outputs) != len(gradients):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(gradients)} gradients")
    roots = []
    for i, (output, gradient) in enumerate(zip(outputs, gradients, strict=True)):
        if not output.requires_grad:
            raise RuntimeError(
                f"element {i} of tensors does not require grad and does not have a grad_fn"
            )
        array = _root_gradient(output, gradient, i)
        roots.append((grad_edge(output), array, gradient is None))
    return roots


def _one(xp: Backend, shape: tuple[int, ...], dtype: DType) -> Array:
    one = xp.empty(shape, dtype)
    one.fill(1)
    return one


def _root_gradient(output: Tensor, gradient: Tensor | None, i: int) -> Array:
    array = output._array
    if gradient is None:
        if array.size != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        return state.run_silently(_one, backend_of(array), array.shape, array.dtype)
    if gradient._array.shape != array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {gradient.shape} and "
            f"output[{i}] has a shape of {output.shape}."
        )
    return gradient._array.astype(array.dtype, copy=False)
