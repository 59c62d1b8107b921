"""The engine: runs operations on tensors, records them, and walks the record backwards.

It knows a tensor by its underscored fields only (see `tensor.Tensor`) and never imports it.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from autograd.backend import NUMPY, Array, backend_of, same_memory
from autograd.grad_mode import state
from autograd.ops.op import Op
from autograd.promotion import promote_inputs

ndarray = np.ndarray
_sequence = itertools.count()
_node_types: dict[str, type[Node]] = {}


class Node:
    """A recorded operation: the gradients to compute and where they go."""

    __slots__ = (
        "__weakref__", "edges", "freed", "metas", "op", "out_metas", "post_hooks", "pre_hooks",
        "retained", "saved", "sequence", "trace", "versions", "xp",
    )  # fmt: skip

    op: Any
    xp: Any
    sequence: int
    edges: list[tuple[Any, int] | None]  # (Node or leaf tensor, number of its output)
    metas: list[tuple[tuple[int, ...], Any] | None]  # shape and dtype of each input
    out_metas: list[tuple[tuple[int, ...], Any]]
    saved: Any
    versions: list[tuple[list[int], int, Array]]

    def name(self) -> str:
        """torch's name of the operation, such as MulBackward0."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes that this one's gradients go to, each with the number of its output."""
        return tuple(
            (None, 0) if edge is None else (edge[0]._grad_edge_node(), edge[1])
            for edge in self.edges
        )

    def _grad_edge_node(self) -> Node:
        return self

    def register_hook(self, hook: Any) -> Any:
        """Call `hook(grad_inputs, grad_outputs)` after this node has run."""
        from autograd.hooks import add_hook  # hooks are rare: kept off the import path

        if self.post_hooks is None:
            self.post_hooks = {}
        return add_hook(self.post_hooks, hook)

    def check_versions(self) -> None:
        """Raise if an array that was saved has been changed in place since."""
        for cell, version, array in self.versions:
            if cell[0] != version:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an "
                    f"inplace operation: [{_type_name(array)} {list(array.shape)}], saved for "
                    f"{self.name()}, is at version {cell[0]}; expected version {version} instead. "
                    "Hint: enable anomaly detection to find the operation that failed to compute "
                    "its gradient, with torch.autograd.set_detect_anomaly(True)."
                )

    def run(self, grads: list[Array | None]) -> list[Array | None]:
        """The gradients for all edges, given those of the outputs (None: nothing came)."""
        op, xp = self.op, self.xp
        if len(grads) > 1:
            grads = [
                xp.zeros(*meta) if g is None else g
                for g, meta in zip(grads, self.out_metas, strict=True)
            ]
            g: Any = tuple(grads)
        else:
            g = grads[0]
        if op.joint is not None:
            results = list(op.joint.function(xp, g, *self.saved))
        else:
            results = [
                None if saved is None else gradient.function(xp, g, *saved)
                for gradient, saved in zip(op.gradients, self.saved, strict=True)
            ]
        return [
            None if meta is None or result is None else _fit(xp, result, *meta)
            for result, meta in zip(results, self.metas, strict=True)
        ]


def _type_name(array: Array) -> str:
    names = {"float32": "Float", "float64": "Double", "float16": "Half", "int64": "Long",
             "int32": "Int", "int16": "Short", "int8": "Char", "uint8": "Byte", "bool": "Bool"}  # fmt: skip
    return f"torch.{names[str(array.dtype)]}Tensor"


def _fit(xp: Any, gradient: Array, shape: tuple[int, ...], dtype: Any) -> Array:
    """Undo broadcasting and casts: the gradient in the shape and dtype of its input."""
    if gradient.shape != shape:
        extra = len(gradient.shape) - len(shape)
        axes = (*range(extra), *(
            i + extra for i, n in enumerate(shape) if n == 1 and gradient.shape[i + extra] != 1
        ))  # fmt: skip
        gradient = xp.add.reduce(gradient, axis=axes).reshape(shape)
    if gradient.dtype != dtype:
        gradient = gradient.astype(dtype)
    return gradient


def apply(op: Op, *inputs: Any, **settings: Any) -> Any:
    """Run an operation on tensors (and numbers), and record it if anyone will need its gradient."""
    arrays = [getattr(x, "_array", x) for x in inputs]
    if op.promote != "none" or op.bool_error is not None:
        arrays = promote_inputs(op, arrays)
    return _finish(op, inputs, arrays, settings)


def _finish(op: Op, inputs: tuple[Any, ...], arrays: list[Any], settings: dict[str, Any]) -> Any:
    tensor = next(x for x in inputs if hasattr(x, "_array"))
    xp = NUMPY if type(tensor._array) is ndarray else backend_of(tensor._array)
    if xp is not NUMPY:
        xp.check_same_device(arrays)
    outs = state.run_silently(op.forward, xp, *arrays, **settings)
    if op.outs == 1:
        outs = (outs,)
    outs = tuple(o if type(o) is type(tensor._array) else xp.array_of(o) for o in outs)
    results = tuple(tensor._wrap(o) for o in outs)
    if op.view and same_memory(outs[0], arrays[0]):
        tensor._mark_view(results[0], op, settings)
    record = state.grad_enabled and op.differentiable
    if record and any(getattr(x, "requires_grad", False) for x in inputs):
        node = record_node(op, inputs, arrays, outs, settings, results)
        for number, result in enumerate(results[: op.differentiable_outs]):
            if result._array.dtype.kind == "f":
                result._set_history(node, number)
    elif state.inference:
        for result in results:
            result._inference = result._view is None or tensor._inference
    return results[0] if op.outs == 1 else results


def unary(op: Op, input: Any) -> Any:
    """`apply` for one tensor and no settings: the same thing in fewer steps."""
    try:
        array = input._array
    except AttributeError:
        raise _not_a_tensor(op, input) from None
    if type(array) is not ndarray or state.inference or input._view is not None:
        return apply(op, input)
    if op.float_only and array.dtype.kind != "f":
        return apply(op, input)
    out = state.run_silently(op.forward, NUMPY, array)
    if type(out) is not ndarray:
        out = np.asarray(out)
    result = input._wrap(out)
    if input._requires_grad and state.grad_enabled and op.differentiable:
        node = record_node(op, (input,), (array,), (out,), {}, (result,))
        result._grad_fn = node
        result._requires_grad = True
    return result


def binary(op: Op, input: Any, other: Any) -> Any:
    """`apply` for two tensors, or a tensor and a number, and no settings, in fewer steps."""
    a = getattr(input, "_array", input)
    b = getattr(other, "_array", other)
    if type(a) is ndarray and a.dtype.kind == "f" and not state.inference:
        if type(b) is ndarray:
            plain = a.dtype is b.dtype and input._view is None and other._view is None
        else:
            plain = type(b) in (float, int) and input._view is None
        if plain:
            out = state.run_silently(op.forward, NUMPY, a, b)
            if type(out) is not ndarray:
                out = np.asarray(out)
            result = input._wrap(out)
            needed = input._requires_grad or getattr(other, "_requires_grad", False)
            if needed and state.grad_enabled and op.differentiable:
                node = record_node(op, (input, other), (a, b), (out,), {}, (result,))
                result._grad_fn = node
                result._requires_grad = True
            return result
    if not (hasattr(input, "_array") or hasattr(other, "_array")):
        raise _not_a_tensor(op, input)
    return apply(op, input, other)


def _not_a_tensor(op: Op, value: Any) -> TypeError:
    return TypeError(
        f"{op.name.lower()}(): argument 'input' (position 1) must be Tensor, "
        f"not {type(value).__name__}"
    )


def record_node(
    op: Op, inputs: Any, arrays: Any, outs: Any, settings: dict[str, Any], results: Any
) -> Node:
    """A node that keeps what the needed gradients name, and the versions of what it keeps."""
    node = new_node(op.name)
    node.op = op
    node.xp = NUMPY if type(outs[0]) is ndarray else backend_of(outs[0])
    needs = [getattr(x, "requires_grad", False) for x in inputs]
    node.edges = [x._grad_edge() if n else None for x, n in zip(inputs, needs, strict=True)]
    node.metas = [
        (x._array.shape, x._array.dtype) if n else None
        for x, n in zip(inputs, needs, strict=True)
    ]
    node.out_metas = [(o.shape, o.dtype) for o in outs[: op.differentiable_outs]]
    shapes = tuple(getattr(a, "shape", ()) for a in arrays) if op.uses_shapes else None
    values = (shapes, needs, *[settings.get(s) for s in op.settings], *outs, *arrays)
    versions: list[tuple[list[int], int, Array]] = []
    if op.joint is not None:
        node.saved = _save_joint(op, needs, values, inputs, results, versions)
    else:
        node.saved = [
            None if not n or gradient is None
            else _save(gradient, values, inputs, results, versions)
            for gradient, n in zip(op.gradients, needs, strict=True)
        ]  # fmt: skip
    node.versions = versions
    return node


def new_node(name: str) -> Node:
    """An empty node of the class `<name>Backward0` (a name that ends in a digit has its own)."""
    if name not in _node_types:
        full = f"{name[:-1]}Backward{name[-1]}" if name[-1].isdigit() else f"{name}Backward0"
        _node_types[name] = type(full, (Node,), {"__slots__": ()})
    node = _node_types[name]()
    node.sequence = next(_sequence)
    node.freed = False
    node.pre_hooks = node.post_hooks = node.retained = node.trace = None
    if state.anomaly:
        from autograd.anomaly import forward_trace  # only while somebody is searching

        node.trace = forward_trace()
    return node


def _save(gradient: Any, values: Any, inputs: Any, results: Any, versions: list[Any]) -> Any:
    for i in gradient.saved_inputs:
        if hasattr(inputs[i], "_array"):
            versions.append(inputs[i]._saved_version())
    for i in gradient.saved_outs:
        versions.append(results[i]._saved_version())
    return gradient.fetch(values)


def _save_joint(
    op: Op, needs: list[bool], values: Any, inputs: Any, results: Any, versions: list[Any]
) -> Any:
    gradient: Any = op.joint
    unneeded = {
        place
        for place, positions in gradient.conditions.items()
        if not any(needs[i] for i in positions)
    }
    for i in gradient.saved_inputs:
        if op.first_input + i not in unneeded and hasattr(inputs[i], "_array"):
            versions.append(inputs[i]._saved_version())
    for i in gradient.saved_outs:
        if op.first_out + i not in unneeded:
            versions.append(results[i]._saved_version())
    if unneeded:
        values = [None if i in unneeded else v for i, v in enumerate(values)]
    return gradient.fetch(values)
