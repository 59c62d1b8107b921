"""Views: tensors that share the memory of another, and how in-place changes reach them.

A view remembers its base and the operations that lead from there to it. When the base or another
view has changed in place since, `apply.refresh` finds the view's place in the graph again, by
applying those operations to the base as it is now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from autograd.engine.grad_mode import state
from autograd.ops.assignment import Steps
from autograd.ops.op import Op

if TYPE_CHECKING:
    from autograd.types import Tensor

Creation = Literal["default", "no_grad", "inference", "multi", "custom"]


class View:
    """How a tensor came from its base."""

    __slots__ = ("base", "creation", "steps", "version")

    def __init__(self, base: Tensor, steps: Steps, creation: Creation, version: int) -> None:
        """`version`: the base's version for which the view's history is right."""
        self.base = base
        self.steps = steps
        self.creation = creation
        self.version = version


def mark(source: Tensor, result: Tensor, op: Op, settings: dict[str, Any]) -> None:
    """Make `result = op(source)` a view of `source`."""
    if source._inference:
        result._inference = True
        return
    parent = source._view
    creation: Creation = "default"
    if parent is not None and parent.creation != "default":
        creation = parent.creation
    elif not state.recording:
        creation = "inference" if state.inference else "no_grad"
    elif op.multi_view:
        creation = "multi"
    cell = source._cell
    if cell is None:
        cell = source._cell = [0]
    result._cell = cell
    if parent is None:
        result._view = View(source, (None, op, settings), creation, cell[0])
    else:
        result._view = View(parent.base, (parent.steps, op, settings), creation, cell[0])


def forbidden(tensor: Any, what: str) -> RuntimeError:
    """Return torch's error for an in-place change that a view's history cannot follow."""
    creation, node = tensor._view.creation, tensor._grad_fn
    number = 0 if node is None else tensor._output_nr
    name = "" if node is None else node.name().partition("Backward")[0]
    if creation == "inference":
        ending = f" inference mode and {what} modified inplace in normal mode."
    else:
        ending = f" no_grad mode and {what} modified inplace with grad mode enabled."
    if node is None:
        text = f"A view was created in{ending}"
    elif creation in ("inference", "no_grad"):
        text = f"Output {number} of {name} is a view of a view which was created in{ending}"
    else:
        text = f"Output {number} of {name} is a view and {what} modified inplace."
    return RuntimeError(f"{text} {_REASONS[creation]}")


_BLOCK = (
    "Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your "
    "code by moving both the view and the inplace either both inside the {0} block (if you don't "
    "want the inplace to be tracked) or both outside (if you want the inplace to be tracked)."
)
_REASONS = {
    "no_grad": _BLOCK.format("no_grad"),
    "inference": _BLOCK.format("inference_mode"),
    "multi": (
        "This view is the output of a function that returns multiple views. Such functions do not "
        "allow the output views to be modified inplace. You should replace the inplace operation "
        "by an out-of-place one."
    ),
    "custom": (
        "This view was created inside a custom Function (or because an input was returned as-is) "
        "and the autograd logic to handle view+inplace would override the custom backward "
        "associated with the custom Function, leading to incorrect gradients. This behavior is "
        "forbidden. You can fix this by cloning the output of the custom Function."
    ),
}
