"""Recording: make the node of an operation, with the arrays that its gradients will need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from autograd.backend import Array
from autograd.engine.grad_mode import anomaly
from autograd.engine.node import LEAF, Extras, Node, next_sequence, version_of
from autograd.ops.op import SHAPES, Op

if TYPE_CHECKING:
    from autograd.types import Tensor

_node_types: dict[str, type[Node]] = {}


def node_type(name: str) -> type[Node]:
    """The class `<name>Backward0`, or `<name>Backward1` for a name that ends in 1."""
    known = _node_types.get(name)
    if known is None:
        full = f"{name[:-1]}Backward{name[-1]}" if name[-1].isdigit() else f"{name}Backward0"
        full = name if name in ("CopySlices", "CopyBackwards") else full
        known = _node_types[name] = type(full, (Node,), {"__slots__": ()})
    return known


class Plan:
    """What an operation saves for a given set of inputs in need; made once for each set.

    The arguments of all gradients are saved in one tuple, so that a single call fetches them.
    `parts` gives, for each input in need, its gradient function and its slice of that tuple.
    """

    def __init__(self, op: Op, needs: tuple[bool, ...]) -> None:
        """`needs`: for each input whether it needs a gradient."""
        self.op = op
        self.needs = needs
        self.node_type = node_type(op.name)
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
    """Make the function that picks what is saved from all that a gradient may use."""
    keys: list[Any] = list(places)
    if op.all_inputs is not None:
        keys = [slice(p, None) if p == op.first_input else p for p in places]
    if len(keys) > 1:
        return itemgetter(*keys)
    if keys and isinstance(keys[0], slice):
        return lambda values: (tuple(values[keys[0]]),)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0, 0))


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
    """Make a node that saves what its gradients need, with the versions of what it saves.

    `inputs` and `results` are the tensors of `arrays` and `outs`; views among them are up to date.
    """
    plan = op.plans.get(needs)
    if plan is None:
        plan = op.plans[needs] = Plan(op, needs)
    node = plan.node_type()
    node.plan = plan
    node.sequence = next_sequence()
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
