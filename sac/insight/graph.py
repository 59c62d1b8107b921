"""The computation graph of an update, for TensorBoard's GRAPHS tab.

A gradient flows back along solid edges. Dotted edges, TensorBoard's control inputs, carry a value
forward but no gradient back: those from the target to a loss, for example.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sac.agent.agent import SACAgent
from sac.insight.recording import Recording, nodes_before, reached_leaves, record_update

TARGET = "targets/target_q_value"
Edge = tuple[Any, Any]  # a node, and one of its inputs


def update_graph(agent: SACAgent, batch_size: int) -> Any:
    """Return the GraphDef of an update of the agent on a batch of this size."""
    recorded = record_update(agent, batch_size, whole=False)
    whole = record_update(agent, batch_size, whole=True)
    return _Drawing(whole, _gradient_edges(recorded, whole)).graph_def()


def _gradient_edges(recorded: Recording, whole: Recording) -> set[Edge]:
    """Return the edges of `whole` from a loss to the leaves that it has a gradient for."""
    edges = set()
    for name, loss in whole.losses.items():
        learned = {recorded.leaves[leaf] for leaf in reached_leaves(recorded.losses[name])}
        carries: dict[Any, bool] = {}
        for node in reversed(_inputs_last(loss)):
            inputs = [before for before, _ in node.next_functions if before is not None]
            for before in inputs:
                if carries[before]:
                    edges.add((node, before))
            carries[node] = any(carries[before] for before in inputs) or (
                hasattr(node, "variable") and whole.leaves[id(node.variable)] in learned
            )
    return edges


def _inputs_last(loss: Any) -> list[Any]:
    """Return all nodes of a loss, each before its inputs."""
    # Leaves have no number, and nothing comes before them.
    return sorted(nodes_before(loss), key=lambda node: getattr(node, "sequence", -1), reverse=True)


class _Drawing:
    """A recording as nodes with names."""

    def __init__(self, whole: Recording, gradients: set[Edge]) -> None:
        from tensorboard.compat.proto import graph_pb2

        self._graph = graph_pb2.GraphDef()
        self._whole = whole
        self._gradients = gradients
        self._numbers: Counter[str] = Counter()
        nodes = {node for loss in whole.losses.values() for node in nodes_before(loss)}
        operations = [node for node in nodes if not hasattr(node, "variable")]
        self._operations = sorted(operations, key=lambda node: node.sequence)
        self._names = {node: self._name(node) for node in self._operations}
        leaves = {self._name(node): node for node in nodes if hasattr(node, "variable")}
        self._leaves = dict(sorted(leaves.items()))
        self._names |= {node: name for name, node in self._leaves.items()}

    def graph_def(self) -> Any:
        for name, leaf in self._leaves.items():
            kind = "Placeholder" if name.startswith("batch/") else "Parameter"
            self._add(name, kind, [leaf.variable.shape])
        for node in self._operations:
            self._add_operation(node)
        self._add_alpha()
        return self._graph

    def _name(self, node: Any) -> str:
        if hasattr(node, "variable"):
            return self._whole.leaves[id(node.variable)]
        if self._whole.target is not None and node is self._whole.target.grad_fn:
            return TARGET
        name = f"{self._whole.scopes[node]}/{_operation(node)}"
        self._numbers[name] += 1
        number = self._numbers[name]
        return name if number == 1 else f"{name}_{number}"

    def _add_operation(self, node: Any) -> None:
        name, solid, dotted = self._names[node], [], []
        for before, number in node.next_functions:
            if before is None:
                continue
            source = self._names[before]
            if (node, before) in self._gradients:
                solid.append(f"{source}:{number}" if number else source)
            elif f"^{source}" not in dotted:
                dotted.append(f"^{source}")
        shapes = [shape for shape, _ in node.metas]
        drawn = self._add(name, _operation(node), shapes, [*solid, *dotted])
        drawn.attr["gradient"].b = bool(solid)

    def _add_alpha(self) -> None:
        """Add the one step outside the graph: alpha is computed from the detached log alpha."""
        if {"alpha/log_alpha", "alpha/alpha"} <= self._leaves.keys():
            node = next(node for node in self._graph.node if node.name == "alpha/alpha")
            node.op = "Exp"
            node.input.append("^alpha/log_alpha")

    def _add(self, name: str, operation: str, shapes: list[Any], inputs: Sequence[str] = ()) -> Any:
        node = self._graph.node.add(name=name, op=operation, input=inputs)
        for shape in shapes:
            dims = node.attr["_output_shapes"].list.shape.add().dim
            for size in shape:
                dims.add(size=size)
        return node


def _operation(node: Any) -> str:
    """Return the name of a node's operation, such as Mul for MulBackward0."""
    return node.name().rpartition("Backward")[0] or node.name()
