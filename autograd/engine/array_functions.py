"""What a backward pass does with arrays between the gradients of operations: fit, add, store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy import ndarray

from autograd.backend import Array, Backend, DType, backend_of
from autograd.engine.grad_mode import anomaly, state
from autograd.engine.node import LEAF, Meta, Node

if TYPE_CHECKING:
    from autograd.types import Tensor


class ArrayFunctions(NamedTuple):
    """The array functions of a backward pass: `PLAIN`, or a recorder's, which writes calls down.

    None of the six records anything in the graph.
    """

    run_pass: Callable[[Callable[[], None]], Any]  # runs the whole pass
    run_node: Callable[[Node, Any], Any]  # the gradients of a node's inputs that need one
    fit: Callable[[Array, Any, int], Array]  # a gradient in its target's shape and dtype
    add: Callable[[Array, Array, bool], Array]  # the sum; True: in the memory of the first
    zeros: Callable[[Any, Meta], Array]  # the gradient of an output that was not used
    accumulate: Callable[[Any, Array, bool], None]  # adds a gradient to the `.grad` of a leaf


def run_node(node: Node, g: Any) -> Any:
    """Compute the gradients of a node's inputs, checked in anomaly mode."""
    return node.run(g) if anomaly.watch is None else anomaly.watch(node, g)


def zeros(xp: Backend, meta: Meta) -> Array:
    """The gradient of an output that was not used."""
    return xp.zeros(*meta)


def added(known: Array, gradient: Array, in_place: bool) -> Array:
    """Add two gradients; `in_place` reuses the memory of the first."""
    if in_place and known.ndim:
        known += gradient
        return known
    total = known + gradient
    return total if type(total) is ndarray else backend_of(known).array_of(total)


def fit(gradient: Array, target: Any, number: int) -> Array:
    """Undo broadcasting and casts: bring a gradient to the shape and dtype of its target."""
    return fitted(gradient, *shape_and_dtype(target, number))


def shape_and_dtype(target: Any, number: int) -> Meta:
    """The shape and dtype that a gradient must have at its target."""
    if number == LEAF:
        return target._array.shape, target._array.dtype
    return target.metas[number]


def fitted(gradient: Array, shape: tuple[int, ...], dtype: DType) -> Array:
    """Bring a gradient to this shape, summing what was broadcast, and to this dtype."""
    if gradient.shape != shape:
        gradient = _unbroadcast(gradient, shape)
    if gradient.dtype != dtype:
        gradient = gradient.astype(dtype)
    if type(gradient) is not ndarray:
        gradient = backend_of(gradient).array_of(gradient)
    return gradient


def _unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    extra = gradient.ndim - len(shape)
    if extra < 0 or any(
        n != 1 and n != m for n, m in zip(shape, gradient.shape[extra:], strict=True)
    ):
        raise RuntimeError(
            f"a gradient of shape {list(gradient.shape)} came to a tensor of shape {list(shape)}"
        )
    axes = (
        *range(extra),
        *(i + extra for i, n in enumerate(shape) if n == 1 and gradient.shape[i + extra] != 1),
    )
    return backend_of(gradient).sum(gradient, axis=axes).reshape(shape)


def accumulate(tensor: Tensor, gradient: Array, owned: bool) -> None:
    """Add to `.grad` in place. The first gradient becomes `.grad`, copied unless it is owned."""
    known = tensor._grad
    if known is None:
        array = tensor._array
        if not owned or gradient.strides != array.strides:
            copy = backend_of(array).empty_like(array)
            copy[...] = gradient
            gradient = copy
        tensor._grad = tensor._wrap(gradient)
    else:
        array = known._array
        array += gradient
        known._bump_version()
    if tensor._post_accumulate_hooks:
        for hook in list(tensor._post_accumulate_hooks.values()):
            hook(tensor)


PLAIN = ArrayFunctions(state.silently, run_node, fit, added, zeros, accumulate)
