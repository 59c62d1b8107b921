"""A node: an operation in the graph, what it saves, and where its gradients go."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from itertools import compress
from typing import TYPE_CHECKING, Any

from numpy import ndarray

from autograd.backend import NUMPY, Array, Backend, backend_of
from autograd.dtypes import type_name
from autograd.engine.grad_mode import anomaly

if TYPE_CHECKING:
    from autograd.engine.hooks import RemovableHandle
    from autograd.types import Tensor

LEAF = -1  # the number in an edge (tensor, LEAF), which ends at a leaf

Edge = tuple[Any, int]  # (node, number of its output) or (leaf tensor, LEAF)
Version = tuple[list[int], int, Array]  # a counter, its value when an array was saved, the array
Meta = tuple[tuple[int, ...], Any]  # shape and dtype of an output

next_sequence = itertools.count().__next__
FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you "
    "call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward "
    "through the graph a second time or if you need to access saved tensors after calling backward."
)


class Extras:
    """What only few nodes have: hooks, tensors that retain their gradient, a forward trace."""

    __slots__ = ("node_prehooks", "post_hooks", "pre_hooks", "retained", "trace")

    def __init__(self, trace: str | None) -> None:
        """`trace`: the stack that called the operation, in anomaly mode."""
        self.trace = trace
        self.pre_hooks: dict[int, dict[int, Any]] = {}  # by number of the output
        self.node_prehooks: dict[int, Any] = {}
        self.post_hooks: dict[int, Any] = {}
        self.retained: dict[int, Any] = {}  # weak references to tensors, by number of the output


class Node:
    """A recorded operation: the gradients to compute and where they go.

    A node holds no tensor that it made, so the graph has no reference cycles and is freed at once.
    """

    __slots__ = (
        "__weakref__", "edges", "extras", "metas", "plan", "saved", "sequence", "versions",
    )  # fmt: skip

    makes_new_arrays = True  # its gradients own their memory, so one may become a `.grad` uncopied
    fills_with_zeros = True  # zeros stand for the gradients of outputs that were not used

    plan: Any  # Plan
    sequence: int
    edges: list[Edge]  # of the inputs that need a gradient
    metas: tuple[Meta, ...]  # of the outputs
    saved: tuple[Any, ...] | None  # the arguments of the gradients; None once released
    versions: list[Version]  # of what is saved
    extras: Extras | None

    def name(self) -> str:
        """Torch's name of the operation, such as MulBackward0."""
        return type(self).__name__

    @property
    def needs(self) -> tuple[bool, ...]:
        """For every input whether it needs a gradient."""
        return self.plan.needs

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """For every input the node that its gradient goes to, with the number of its output."""
        from autograd.engine.hooks import AccumulateGrad  # for inspection only: off the import path

        edges = iter(self.edges)
        nowhere: Edge = (None, 0)
        return tuple(
            ((AccumulateGrad(edge[0]), 0) if edge[1] == LEAF else edge)
            for edge in (next(edges) if needed else nowhere for needed in self.needs)
        )

    def register_prehook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(grad_outputs)` before this node runs; a tuple it returns replaces them."""
        from autograd.engine.hooks import add_hook

        return add_hook(self.own_extras().node_prehooks, hook)

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(grad_inputs, grad_outputs)` after this node has run."""
        from autograd.engine.hooks import add_hook

        return add_hook(self.own_extras().post_hooks, hook)

    def own_extras(self) -> Extras:
        """Return this node's extras, made on first use."""
        if self.extras is None:
            self.extras = Extras(None)
        return self.extras

    def run(self, g: Any, call: Callable[..., Any] | None = None) -> Any:
        """Compute the gradients for the edges from `g`, the output's: a tuple if there are several.

        `call(function, *args)`, if given, calls the gradient functions.
        """
        saved = self.saved
        if saved is None:
            raise RuntimeError(FREED)
        if self.versions:
            self.check_versions()
        xp = NUMPY if type(g) is ndarray else backend_of(g[0] if type(g) is tuple else g)
        plan = self.plan
        if call is not None:
            return self._run_by(call, xp, g, saved)
        if plan.joint is None:
            return [f and f(xp, g, *saved[start:stop]) for f, start, stop in plan.parts]
        results = plan.joint(xp, g, *saved)
        return list(compress(results, plan.needs))

    def _run_by(self, call: Callable[..., Any], xp: Backend, g: Any, saved: tuple[Any, ...]) -> Any:
        plan = self.plan
        if plan.joint is None:
            return [f and call(f, xp, g, *saved[start:stop]) for f, start, stop in plan.parts]
        return list(compress(call(plan.joint, xp, g, *saved), plan.needs))

    def release(self) -> None:
        """Free what is saved; a node that saved no number or array can run again."""
        if self.plan.releases or _holds_array(self.saved):
            self.saved = None
            self.versions = []

    def check_versions(self) -> None:
        """Raise if an array that was saved has been changed in place since."""
        for cell, version, array in self.versions:
            if cell[0] != version:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an "
                    f"inplace operation: [torch.{type_name(array)}Tensor {list(array.shape)}], "
                    f"saved for {self.name()}, is at version {cell[0]}; expected version {version} "
                    "instead. Hint: enable anomaly detection to find the operation that failed to "
                    "compute its gradient, with torch.autograd.set_detect_anomaly(True)."
                )


def _holds_array(saved: Any, depth: int = 3) -> bool:
    """Whether the saved settings contain an array, perhaps nested, as in an index."""
    return isinstance(saved, tuple) and any(
        hasattr(v, "dtype") or (depth > 0 and _holds_array(v, depth - 1)) for v in saved
    )


def version_of(tensor: Tensor) -> Version:
    """Return a saved tensor's version, by which a later change in place is noticed."""
    if tensor._inference:
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. Please do not use Tensors created in "
            "inference mode in computation tracked by autograd. To work around this, you can make "
            "a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` "
            "instead of `torch.inference_mode()`."
        )
    cell = tensor._cell
    if cell is None:
        cell = tensor._cell = [0]
    return cell, cell[0], tensor._array


def new_node(kind: type[Node], metas: tuple[Meta, ...]) -> Any:
    """Make an empty node, to be filled in by hand, for outputs of these shapes and dtypes."""
    node = kind()
    node.sequence = next_sequence()
    node.metas = metas
    node.saved = ()
    node.edges, node.versions = [], []
    node.extras = None if anomaly.trace is None else Extras(anomaly.trace())
    return node


def grad_edge(tensor: Tensor) -> Edge:
    """Return where a tensor's gradients go: to its node, or to itself if it is a leaf."""
    node = tensor.grad_fn
    return (tensor, LEAF) if node is None else (node, tensor._output_nr)
