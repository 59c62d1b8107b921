"""Changes in place, as operations that the graph can record."""

from __future__ import annotations

from typing import Any

from autograd.backend import Array, Backend
from autograd.ops.op import Op

# How a view comes from its base: the steps before, an operation, and its settings.
Steps = tuple["Steps", Op, dict[str, Any]] | None

# These are recorded after the change, so their forward functions never run.
copy = Op(
    "CopyBackwards", lambda xp, input, source: source,
    input=lambda xp, g: xp.zeros_like(g),
    source=lambda xp, g: g,
)  # fmt: skip


def in_order(steps: Steps) -> list[tuple[Op, dict[str, Any]]]:
    """The operations that lead from a base to its view, first to last."""
    found = []
    while steps is not None:
        steps, view, settings = steps
        found.append((view, settings))
    return found[::-1]


def _part(xp: Backend, array: Array, steps: Steps) -> Array:
    """The part of an array of the base's shape that a view shows."""
    for view, settings in in_order(steps):
        array = view.forward(xp, array, **settings)
    return array


copy_slices = Op("CopySlices", lambda xp, base, part, *, steps: base, part=_part)


@copy_slices.gradient("base")
def _(xp: Backend, g: Array, steps: Steps) -> Array:
    rest = g.copy()
    _part(xp, rest, steps)[...] = 0
    return rest
