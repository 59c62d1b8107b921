"""Views: tensors that share another's memory, and what an in-place change means for them.

A view remembers its base and the operations that lead from there to it. When the base or another view
has been changed in place since, the view's place in the graph is found anew by applying
those operations to the base as it is now.
"""

from __future__ import annotations

from typing import Any, Literal

from autograd.engine import apply
from autograd.grad_mode import enable_grad, state

Creation = Literal["default", "no_grad", "inference", "multi"]


class View:
    """How a tensor came from its base."""

    __slots__ = ("base", "chain", "creation", "version")

    def __init__(self, base: Any, chain: tuple[Any, ...], creation: Creation, version: int) -> None:
        """`chain`: (operation, settings) from base to view; `version`: the base's when last in step."""
        self.base = base
        self.chain = chain
        self.creation = creation
        self.version = version


def mark(source: Any, result: Any, op: Any, settings: dict[str, Any]) -> None:
    """Note that `result = op(source)` shares the memory of `source`."""
    if source._inference:
        result._inference = True
        return
    parent = source._view
    base, chain = (source, ()) if parent is None else (parent.base, parent.chain)
    creation: Creation = "default"
    if parent is not None and parent.creation != "default":
        creation = parent.creation
    elif op.multi_view:
        creation = "multi"
    elif state.inference:
        creation = "inference"
    elif not state.grad_enabled:
        creation = "no_grad"
    cell = source._version_cell()
    result._cell = cell
    result._view = View(base, (*chain, (op, settings)), creation, cell[0])


def refresh(tensor: Any) -> None:
    """Renew the history of a view whose memory has been changed in place since it was made."""
    view = tensor._view
    version = tensor._cell[0]
    if view.version == version:
        return
    if not view.base.requires_grad:
        return
    view.version = version
    if view.base.grad_fn is None and tensor._grad_fn is None:
        return
    with enable_grad():
        again = view.base
        for op, settings in view.chain:
            again = apply(op, again, **settings)
    tensor._set_history(again._grad_fn, again._output_nr)


def replay(view: View, array: Any, xp: Any) -> Any:
    """The part of an array of the base's shape that the view shows."""
    for op, settings in view.chain:
        array = op.forward(xp, array, **settings)
    return array
