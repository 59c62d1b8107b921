"""The way back: gradients of outputs, carried from node to node to the leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.backend import Array, backend_of
from autograd.engine import Node
from autograd.errors import NotOfferedError
from autograd.grad_mode import no_grad, state

Root = tuple[Any, int, Array]  # node or leaf, number of its output, gradient


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of `tensors` to the `.grad` of the leaves, or of `inputs` alone."""
    _refuse_create_graph(create_graph)
    outputs = _as_sequence(tensors)
    roots = _roots(outputs, _as_sequence(grad_tensors, len(outputs)))
    wanted = None
    if inputs is not None:
        wanted = _as_sequence(inputs)
        if not wanted:
            raise RuntimeError("'inputs' argument to 'backward' cannot be empty.")
    captured = Walk(roots, bool(retain_graph), wanted).run()
    for tensor, (gradient, owned) in captured:
        accumulate(tensor, gradient, owned)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` with respect to `inputs`; no `.grad` is touched."""
    _refuse_create_graph(create_graph)
    outputs = _as_sequence(outputs)
    wanted = _as_sequence(inputs)
    for tensor in wanted:
        if not tensor.requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    roots = _roots(outputs, _as_sequence(grad_outputs, len(outputs)))
    captured = {id(t): g for t, g in Walk(roots, bool(retain_graph), wanted).run()}
    results = []
    for tensor in wanted:
        if id(tensor) in captured:
            gradient, owned = captured[id(tensor)]
            results.append(tensor._wrap(gradient if owned else gradient.copy()))
        elif materialize_grads:
            results.append(tensor._wrap(backend_of(tensor._array).zeros_like(tensor._array)))
        elif allow_unused:
            results.append(None)
        else:
            raise RuntimeError(
                "One of the differentiated Tensors appears to not have been used in the graph. "
                "Set allow_unused=True if this is the desired behavior."
            )
    return tuple(results)


def _refuse_create_graph(create_graph: bool) -> None:
    if create_graph:
        raise NotOfferedError(
            "create_graph=True: autograd does not offer double backward (gradients of gradients)"
        )


def _as_sequence(value: Any, length: int = 0) -> list[Any]:
    if value is None:
        return [None] * length
    return list(value) if isinstance(value, Sequence) or not hasattr(value, "_array") else [value]


def _roots(outputs: list[Any], gradients: list[Any]) -> list[Root]:
    if len(outputs) != len(gradients):
        raise RuntimeError(
            f"got {len(outputs)} tensors and {len(gradients)} gradients; expected one for each"
        )
    roots = []
    for i, (output, gradient) in enumerate(zip(outputs, gradients, strict=True)):
        if not output.requires_grad:
            raise RuntimeError(
                f"element {i} of tensors does not require grad and does not have a grad_fn"
            )
        roots.append((*output._grad_edge(), _root_gradient(output, gradient, i)))
    return roots


def _root_gradient(output: Any, gradient: Any, i: int) -> Array:
    array = output._array
    if gradient is None:
        if array.size != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        return backend_of(array).ones_like(array)
    if not hasattr(gradient, "_array"):
        raise TypeError(
            f"gradients can be either Tensors or None, but got {type(gradient).__name__}"
        )
    if gradient._array.shape != array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {gradient.shape} and "
            f"output[{i}] has a shape of {output.shape}."
        )
    return gradient._array.astype(array.dtype, copy=False)


class Walk:
    """One pass from the roots to the leaves, latest operation first."""

    def __init__(self, roots: list[Root], keep_graph: bool, wanted: list[Any] | None) -> None:
        """`wanted` limits the pass to the ways that lead to those tensors."""
        self.roots = roots
        self.keep_graph = keep_graph
        self.wanted = wanted
        self.at_nodes: dict[Node, list[Array | None]] = {}
        self.at_leaves: dict[int, tuple[Any, Array, bool]] = {}
        self.capture: dict[tuple[int, int], Any] = {}
        if wanted is not None:
            self.capture = {(id(t._grad_edge()[0]), t._grad_edge()[1]): t for t in wanted}
        self.captured: list[tuple[Any, tuple[Array, bool]]] = []

    def run(self) -> list[tuple[Any, tuple[Array, bool]]]:
        """The gradients of the wanted tensors; without `wanted`, of all leaves: accumulated."""
        order = self._nodes_latest_first()
        useful = self._useful(order)
        for target, number, gradient in self.roots:
            self._send(target, number, gradient, owned=False)
        with np.errstate(all="ignore"), no_grad():
            for node in order:
                grads = self.at_nodes.pop(node, None)
                if grads is not None:
                    self._visit(node, grads, node in useful)
            self._finish_leaves()
        return self.captured

    def _nodes_latest_first(self) -> list[Node]:
        stack = [target for target, _, _ in self.roots if isinstance(target, Node)]
        seen = set(stack)
        while stack:
            for edge in stack.pop().edges:
                if edge is not None and isinstance(edge[0], Node) and edge[0] not in seen:
                    seen.add(edge[0])
                    stack.append(edge[0])
        return sorted(seen, key=lambda node: node.sequence, reverse=True)

    def _useful(self, order: list[Node]) -> Any:
        """The nodes that must run: all, or those on a way to a wanted tensor."""
        if self.wanted is None:
            return set(order)
        useful: set[Node] = set()
        for node in reversed(order):
            for edge in node.edges:
                if edge and (edge[0] in useful or (id(edge[0]), edge[1]) in self.capture):
                    useful.add(node)
                    break
        return useful

    def _visit(self, node: Node, grads: list[Array | None], useful: bool) -> None:
        if node.pre_hooks is not None:
            run_output_hooks(node, grads)
        if node.retained is not None:
            retain(node, grads)
        for number, gradient in enumerate(grads):
            tensor = self.capture.get((id(node), number))
            if tensor is not None and gradient is not None:
                self.captured.append((tensor, (gradient, False)))
        if not useful:
            return
        if node.freed:
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved "
                "tensors after they have already been freed). Saved intermediate values of the "
                "graph are freed when you call .backward() or autograd.grad(). Specify "
                "retain_graph=True if you need to backward through the graph a second time or if "
                "you need to access saved tensors after calling backward."
            )
        node.check_versions()
        results = node.run(grads)
        if state.anomaly:
            from autograd.anomaly import check_results

            check_results(node, results)
        if node.post_hooks is not None:
            results = run_node_hooks(node, results, grads)
        if not self.keep_graph:
            free(node)
        for edge, result in zip(node.edges, results, strict=True):
            if edge is not None and result is not None:
                fresh = result.base is None and all(result is not g for g in grads)
                self._send(edge[0], edge[1], result, owned=fresh)

    def _send(self, target: Any, number: int, gradient: Array, owned: bool) -> None:
        if isinstance(target, Node):
            grads = self.at_nodes.get(target)
            if grads is None:
                grads = self.at_nodes[target] = [None] * len(target.out_metas)
            known = grads[number]
            grads[number] = gradient if known is None else known + gradient
            return
        if id(target) in self.at_leaves:
            # Never in place: another edge may hold the array that came first.
            gradient, owned = self.at_leaves[id(target)][1] + gradient, True
        self.at_leaves[id(target)] = target, gradient, owned

    def _finish_leaves(self) -> None:
        for leaf, gradient, owned in self.at_leaves.values():
            if self.wanted is not None and (id(leaf), 0) not in self.capture:
                continue
            if leaf._hooks:
                gradient, owned = run_hooks(leaf, leaf._hooks, gradient), False
            if self.wanted is not None:
                self.captured.append((leaf, (gradient, owned)))
            else:
                accumulate(leaf, gradient, owned)


def free(node: Node) -> None:
    """Let go of the saved arrays; a node that saved none can run again."""
    if node.versions:
        node.saved, node.freed = None, True
        node.versions = []


def accumulate(tensor: Any, gradient: Array, owned: bool) -> None:
    """Add to `.grad` in place; the first gradient becomes `.grad`, as a copy unless it is owned."""
    if tensor._grad is None:
        if not owned or type(gradient) is not type(tensor._array):
            gradient = backend_of(tensor._array).array_of(gradient).copy()
        tensor._grad = tensor._wrap(gradient)
    else:
        tensor._grad._array += gradient
        tensor._grad._bump_version()
    if tensor._post_accumulate_hooks:
        for hook in list(tensor._post_accumulate_hooks.values()):
            hook(tensor)


def run_hooks(tensor: Any, hooks: dict[int, Any], gradient: Array) -> Array:
    """The gradient after the tensor's hooks, in the order of registration; each may replace it."""
    for hook in list(hooks.values()):
        replaced = hook(tensor._wrap(gradient))
        if replaced is None:
            continue
        if not hasattr(replaced, "_array"):
            raise TypeError(f"expected Variable, but hook returned '{type(replaced).__name__}'")
        if replaced._array.shape != gradient.shape:
            raise RuntimeError(
                f"hook '{getattr(hook, '__name__', hook)}' has changed the size of value"
            )
        gradient = replaced._array
    return gradient


def run_output_hooks(node: Node, grads: list[Array | None]) -> None:
    """The hooks of a node's output tensors, on their summed gradients."""
    for number, (tensor_type, hooks) in node.pre_hooks.items():
        gradient = grads[number]
        if gradient is not None:
            grads[number] = run_hooks(tensor_type, hooks, gradient)


def retain(node: Node, grads: list[Array | None]) -> None:
    """Keep the gradient of a tensor on which `retain_grad` was called."""
    for number, reference in node.retained.items():
        tensor, gradient = reference(), grads[number]
        if tensor is not None and gradient is not None:
            accumulate(tensor, gradient, False)


def run_node_hooks(node: Node, results: list[Any], grads: list[Any]) -> list[Any]:
    """`hook(grad_inputs, grad_outputs)` of a node; a tuple that it returns replaces grad_inputs."""
    wrap = node.post_hooks["wrap"]
    for key, hook in list(node.post_hooks.items()):
        if key == "wrap":
            continue
        replaced = hook(
            tuple(None if r is None else wrap(r) for r in results),
            tuple(None if g is None else wrap(g) for g in grads),
        )
        if replaced is not None:
            replaced = replaced if isinstance(replaced, tuple) else (replaced,)
            results = [None if r is None else r._array for r in replaced]
    return results
