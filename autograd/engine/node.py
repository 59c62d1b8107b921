"""The record of operations: nodes, what they save, and where their gradients go."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from numpy import ndarray

from autograd.backend import NUMPY, Array, Backend, backend_of
from autograd.dtypes import type_name
from autograd.engine.grad_mode import anomaly
from autograd.ops.op import SHAPES, Op

if TYPE_CHECKING:
    from autograd.engine.hooks import RemovableHandle
    from autograd.types import Tensor

LEAF = -1  # the number in an edge (tensor, LEAF), which ends at a leaf

Edge = tuple[Any, int]  # (node, number of its output) or (leaf tensor, LEAF)
Version = tuple[list[int], int, Array]  # a counter, its value when an array was saved, the array
Meta = tuple[tuple[int, ...], Any]  # shape and dtype of an output

_next_sequence = itertools.count().__next__
FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you "
    "call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward "
    "through the graph a second time or if you need to access saved tensors after calling backward."
)


class Extras:
    """What few nodes have: hooks, tensors that retain their gradient, the forward line."""

    __slots__ = ("node_prehooks", "post_hooks", "pre_hooks", "retained", "trace")

    def __init__(self, trace: str | None) -> None:
        """`trace`: where the operation was called, in anomaly mode."""
        self.trace = trace
        self.pre_hooks: dict[int, dict[int, Any]] = {}  # by number of the output
        self.node_prehooks: dict[int, Any] = {}
        self.post_hooks: dict[int, Any] = {}
        self.retained: dict[int, Any] = {}  # weak references to tensors, by number of the output


class Node:
    """A recorded operation: the gradients to compute and where they go.

    It never holds a tensor that it made, so a graph has no reference cycle and is freed at once.
    """

    __slots__ = (
        "__weakref__", "edges", "extras", "metas", "plan", "saved", "sequence", "versions",
    )  # fmt: skip

    makes_new_arrays = True  # a gradient whose memory is its own may become some `.grad` uncopied
    gives_parts = False  # see Op
    fills_with_zeros = True  # zeros stand for the gradients of outputs that were not used

    plan: Any  # Plan
    sequence: int
    edges: list[Edge]  # of the inputs that need a gradient
    metas: tuple[Meta, ...]  # of the outputs
    saved: tuple[Any, ...] | None  # the arguments of the gradients; None once released
    versions: list[
        tuple[list[int], int, Array]
    ]  # (counter, its value then, array) of what is saved
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
        """The hooks and the like of this node."""
        if self.extras is None:
            self.extras = Extras(None)
        return self.extras

    def run(self, g: Any, call: Callable[..., Any] | None = None) -> Any:
        """The gradients for the edges; `g`: that of the output, a tuple if there are several.

        `call(function, *args)`, if given, calls the functions of arrays.
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
        """Let go of what is saved; a node that saved no number or array can run again."""
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
    """Whether there is an array among saved settings or, as in an index, in their parts."""
    return isinstance(saved, tuple) and any(
        hasattr(v, "dtype") or (depth > 0 and _holds_array(v, depth - 1)) for v in saved
    )


class Plan:
    """What an operation saves when certain of its inputs need a gradient; made once for each case.

    The arguments of all gradients are saved one after another in one tuple, so that a single call
    picks them; `parts` tells for each input in need its gradient function and its share.
    """

    def __init__(self, op: Op, needs: tuple[bool, ...]) -> None:
        """`needs`: for each input whether it needs a gradient."""
        self.op = op
        self.needs = needs
        self.node_type = node_type(op.name)
        self.node_type.gives_parts = op.gives_parts
        self.joint = None if op.joint is None else op.joint.function
        self.parts: list[tuple[Any, int, int]] = []
        places: list[int] = []
        if op.joint is not None:
            places = op.joint.needed_places(needs)
        else:
            for gradient, needed in zip(op.gradients, needs, strict=True):
                if needed:
                    start = len(places)
                    places += [] if gradient is None else gradient.needed_places(needs)
                    self.parts.append((gradient and gradient.function, start, len(places)))
        self.positions = tuple(i for i, needed in enumerate(needs) if needed)
        self.saves = bool(places)
        self.uses_shapes = SHAPES in places
        self.fetch = _fetch(op, places)
        first = op.first_input
        inputs = {p - first for p in places if p >= first}
        if op.all_inputs is not None and inputs:
            inputs = set(range(len(needs)))
        self.saved_inputs = tuple(sorted(inputs))
        self.saved_outs = tuple(
            sorted({p - op.first_out for p in places if op.first_out <= p < first})
        )
        self.releases = bool(self.saved_inputs or self.saved_outs)


def _fetch(op: Op, places: list[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """A function from what a gradient may ask for, see `op.NOTHING`, to what is saved of it."""
    keys: list[Any] = list(places)
    if op.all_inputs is not None:
        keys = [slice(p, None) if p == op.first_input else p for p in places]
    if len(keys) > 1:
        return itemgetter(*keys)
    if keys and isinstance(keys[0], slice):
        return lambda values: (tuple(values[keys[0]]),)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0, 0))


def node_type(name: str) -> type[Node]:
    """The class `<name>Backward0`, or `<name>Backward1` for a name that ends in 1."""
    known = _node_types.get(name)
    if known is None:
        full = f"{name[:-1]}Backward{name[-1]}" if name[-1].isdigit() else f"{name}Backward0"
        full = name if name in ("CopySlices", "CopyBackwards") else full
        known = _node_types[name] = type(full, (Node,), {"__slots__": ()})
    return known


_node_types: dict[str, type[Node]] = {}


def record(
    op: Op,
    needs: tuple[bool, ...],
    inputs: Sequence[Any],
    arrays: Sequence[Any],
    outs: Sequence[Array],
    results: Sequence[Tensor],
    settings: dict[str, Any] | None,
    kept: Any = None,
) -> Node:
    """A node that keeps what the needed gradients name, and the versions of what it keeps.

    `inputs` and `results` are the tensors of `arrays` and `outs`; views among them are in step.
    """
    plan = op.plans.get(needs)
    if plan is None:
        plan = op.plans[needs] = Plan(op, needs)
    node = plan.node_type()
    node.plan = plan
    node.sequence = _next_sequence()
    node.extras = None if anomaly.trace is None else Extras(anomaly.trace())
    node.edges = edges = []
    for i in plan.positions:
        x = inputs[i]
        before = x._grad_fn
        edges.append((x, LEAF) if before is None else (before, x._output_nr))
    if op.outs == 1:
        out = outs[0]
        node.metas = ((out.shape, out.dtype),)
    else:
        node.metas = tuple([(o.shape, o.dtype) for o in outs[: op.differentiable_outs]])
    if plan.saves:
        shapes = [getattr(a, "shape", ()) for a in arrays] if plan.uses_shapes else None
        chosen = [settings.get(s) for s in op.settings] if settings else ()
        node.saved = plan.fetch((None, shapes, needs, kept, *chosen, *outs, *arrays))
    else:
        node.saved = ()
    node.versions = versions = []
    for i in plan.saved_inputs:
        x = inputs[i]
        cell = getattr(x, "_cell", None)
        if cell is not None and not x._inference:
            versions.append((cell, cell[0], x._array))
        elif hasattr(x, "_array"):
            versions.append(version_of(x))
    for i in plan.saved_outs:
        versions.append(version_of(results[i]))
    return node


def version_of(tensor: Tensor) -> Version:
    """What is kept of a tensor that is saved, to notice a change in place."""
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
    """A node that is filled in by hand, with outputs of these shapes and dtypes."""
    node = kind()
    node.sequence = _next_sequence()
    node.metas = metas
    node.saved = ()
    node.edges, node.versions = [], []
    node.extras = None if anomaly.trace is None else Extras(anomaly.trace())
    return node


def grad_edge(tensor: Tensor) -> Edge:
    """Where gradients of a tensor go: to its node, or to itself."""
    node = tensor.grad_fn
    return (tensor, LEAF) if node is None else (node, tensor._output_nr)
