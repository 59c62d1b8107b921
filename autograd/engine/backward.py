"""The backward pass: it carries gradients through the graph, from node to node to the leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

from autograd.backend import Array, backend_of
from autograd.engine.array_functions import PLAIN, ArrayFunctions, accumulate, fit
from autograd.engine.grad_mode import refuse_capture
from autograd.engine.node import LEAF, Edge, Node

if TYPE_CHECKING:
    from autograd.types import Tensor

Root = tuple[Edge, Array, bool]  # target, gradient, whether the engine alone holds it

# Who may hold the array of a gradient on its way. The engine adds in place only to a sum that it
# made itself: another edge may hold any other array.
SHARED, FRESH, SUM = range(3)


class BackwardPass:
    """A pass from the roots to the leaves: latest operation first, without recursion."""

    def __init__(
        self,
        roots: list[Root],
        keep_graph: bool,
        wrap: Callable[[Array], Any],
        functions: ArrayFunctions = PLAIN,
    ) -> None:
        """With `keep_graph` nodes keep what they saved; `wrap` makes the tensors that hooks see."""
        self.run_pass, self.run_node, self.fit, self.add, self.zeros, self.accumulate = functions
        self.roots = roots
        self.keep_graph = keep_graph
        self.wrap = wrap
        self.heap: list[int] = []  # negated sequence numbers of the nodes that have a gradient
        # By those numbers: [node, numbers of the outputs that hold a sum, *gradients].
        self.pending: dict[int, list[Any]] = {}
        self.leaves: dict[int, list[Any]] = {}  # by identity: [leaf, gradient, kind]
        self.useful: set[Node] | None = None  # the nodes that must run; None: all
        self.wanted: dict[tuple[int, int], tuple[Array, bool] | None] = {}  # by edge

    def run(self) -> None:
        """Bring the gradients of the roots to the leaves, and add them to their `.grad`."""
        self.run_pass(self._pass)

    def _pass(self) -> None:
        heap, pending = self.heap, self.pending
        for (target, number), gradient, owned in self.roots:
            self._send(target, number, gradient, FRESH if owned else SHARED)
        while heap:
            entry = pending.pop(heappop(heap))
            self._visit(entry[0], entry)
        self._finish_leaves()

    def gradients_at(self, edges: list[Edge]) -> list[tuple[Array, bool] | None]:
        """Return the gradients at these edges, and whether the caller may keep the arrays."""
        refuse_capture("gradients are asked for of other tensors than all leaves")
        keys = [(id(target), number) for target, number in edges]
        self.wanted = dict.fromkeys(keys)
        self.useful = self._nodes_on_the_way()
        self.run()
        return [self.wanted[key] for key in keys]

    def _nodes_on_the_way(self) -> set[Node]:
        """Return the nodes between the roots and the wanted edges."""
        stack = [target for (target, number), _, _ in self.roots if number != LEAF]
        seen = set(stack)
        while stack:
            for target, number in stack.pop().edges:
                if number != LEAF and target not in seen:
                    seen.add(target)
                    stack.append(target)
        useful: set[Node] = set()
        for node in sorted(seen, key=lambda node: node.sequence):
            if any(e[0] in useful or (id(e[0]), e[1]) in self.wanted for e in node.edges):
                useful.add(node)
        return useful

    def _visit(self, node: Node, entry: list[Any]) -> None:
        if node.extras is not None or self.useful is not None:
            self._before(node, entry)
            if self.useful is not None and node not in self.useful:
                return
        g = entry[2] if len(entry) == 3 else self._all_gradients(node, entry)
        results = self.run_node(node, g)
        if node.extras is not None and node.extras.post_hooks:
            results = run_node_hooks(self.wrap, node, results, g)
        if not self.keep_graph:
            node.release()
        held, shares_all = {id(g)}, not node.makes_new_arrays
        for (target, number), result in zip(node.edges, results, strict=True):
            if result is None:
                continue
            gradient = self.fit(result, target, number)
            # The base of a view is an array, that of reused memory is not.
            if hasattr(gradient.base, "shape") or id(gradient) in held or shares_all:
                self._send(target, number, gradient, SHARED)
            else:
                held.add(id(gradient))
                self._send(target, number, gradient, FRESH)

    def _send(self, target: Any, number: int, gradient: Array, kind: int) -> None:
        """Add a gradient to those that have already reached this target."""
        if number == LEAF:
            known = self.leaves.get(id(target))
            if known is None:
                self.leaves[id(target)] = [target, gradient, kind]
            else:
                known[1] = self.add(known[1], gradient, known[2] == SUM)
                known[2] = SUM
            return
        key = -target.sequence
        entry = self.pending.get(key)
        if entry is None:
            outputs = len(target.metas)
            entry = self.pending[key] = [target, None, *[None] * outputs]
            heappush(self.heap, key)
        place = number + 2
        if entry[place] is None:
            entry[place] = gradient
        else:
            sums = entry[1]
            if sums is None:
                sums = entry[1] = set()
            entry[place] = self.add(entry[place], gradient, number in sums)
            sums.add(number)

    def _before(self, node: Node, entry: list[Any]) -> None:
        """Run hooks on the gradients of a node's outputs; keep retained and wanted gradients."""
        for number in range(len(entry) - 2):
            gradient = entry[number + 2]
            if gradient is None:
                continue
            if node.extras is not None:
                hooks = node.extras.pre_hooks.get(number)
                if hooks:
                    gradient = entry[number + 2] = run_hooks(self.wrap, hooks, gradient)
                retained = node.extras.retained.get(number)
                tensor = None if retained is None else retained()
                if tensor is not None:
                    accumulate(tensor, gradient, False)
            if (id(node), number) in self.wanted:
                self.wanted[id(node), number] = gradient, False

        if node.extras is not None and node.extras.node_prehooks:
            self._run_prehooks(node, entry)

    def _run_prehooks(self, node: Node, entry: list[Any]) -> None:
        assert node.extras is not None
        for hook in list(node.extras.node_prehooks.values()):
            outputs = tuple(None if g is None else self.wrap(g) for g in entry[2:])
            replaced = hook(outputs)
            if replaced is not None:
                entry[2:] = [None if r is None else r._array for r in replaced]

    def _finish_leaves(self) -> None:
        for leaf, gradient, kind in self.leaves.values():
            key, owned = (id(leaf), LEAF), kind != SHARED
            if self.useful is not None and key not in self.wanted:
                continue
            if leaf._hooks:
                gradient, owned = run_hooks(self.wrap, leaf._hooks, gradient), False
            if self.useful is not None:
                self.wanted[key] = gradient, owned
            elif leaf._requires_grad or leaf.requires_grad:
                self.accumulate(leaf, gradient, owned)

    def _all_gradients(self, node: Node, entry: list[Any]) -> tuple[Any, ...]:
        """Return the gradients of all outputs, zeros for those that received none."""
        # A user's Function may ask for None instead, and may return values that are not tensors.
        if not node.fills_with_zeros:
            return tuple(entry[2:])
        first = next(g for g in entry[2:] if g is not None)
        xp = backend_of(first)
        return tuple(
            self.zeros(xp, meta) if g is None and meta is not None else g
            for g, meta in zip(entry[2:], node.metas, strict=True)
        )


def run_hooks(wrap: Callable[[Array], Tensor], hooks: dict[int, Any], gradient: Array) -> Array:
    """Run a tensor's hooks in the order of registration; each may replace the gradient."""
    for hook in list(hooks.values()):
        replaced = hook(wrap(gradient))
        if replaced is None:
            continue
        if not hasattr(replaced, "_array"):
            raise TypeError(f"expected Variable, but hook returned '{type(replaced).__name__}'")
        if replaced._array.shape != gradient.shape:
            name = getattr(hook, "__name__", type(hook).__name__)
            raise RuntimeError(f"hook '{name}' has changed the size of value")
        gradient = replaced._array
    return gradient


def run_node_hooks(
    wrap: Callable[[Array], Tensor], node: Node, results: Sequence[Any], g: Any
) -> list[Any]:
    """Call a node's hooks, `hook(grad_inputs, grad_outputs)`; a tuple replaces `grad_inputs`."""
    assert node.extras is not None
    outputs = tuple(None if x is None else wrap(x) for x in (g if type(g) is tuple else (g,)))
    for hook in list(node.extras.post_hooks.values()):
        edges = iter(zip(node.edges, results, strict=True))
        inputs = []
        for needed in node.needs:
            edge, result = next(edges) if needed else (None, None)
            inputs.append(None if edge is None or result is None else wrap(fit(result, *edge)))
        replaced = hook(tuple(inputs), outputs)
        if replaced is not None:
            replaced = replaced if isinstance(replaced, tuple) else (replaced,)
            results = [
                None if r is None else r._array
                for r, needed in zip(replaced, node.needs, strict=True)
                if needed
            ]
    return list(results)
