"""Changes in place, as the functions that they are for the gradients."""

from __future__ import annotations

from typing import Any

from autograd.ops.op import Op, op

# Recorded after the fact, so none of them is ever run forward.
copy = op(
    "CopyBackwards", lambda xp, input, source: source,
    input=lambda xp, g: xp.zeros_like(g),
    source=lambda xp, g: g,
)  # fmt: skip

copy_slices = Op("CopySlices", lambda xp, base, part, *, steps: base)


def in_order(steps: Any) -> list[tuple[Op, dict[str, Any]]]:
    """The operations that lead from a base to its view, first to last."""
    found = []
    while steps is not None:
        steps, view, settings = steps
        found.append((view, settings))
    return found[::-1]


def _part(xp: Any, array: Any, steps: Any) -> Any:
    """The part of an array of the base's shape that a view shows."""
    for view, settings in in_order(steps):
        array = view.forward(xp, array, **settings)
    return array


@copy_slices.gradient("base")
def _(xp: Any, g: Any, steps: Any) -> Any:
    rest = g.copy()
    _part(xp, rest, steps)[...] = 0
    return rest


@copy_slices.gradient("part")
def _(xp: Any, g: Any, steps: Any) -> Any:
    return _part(xp, g, steps)
