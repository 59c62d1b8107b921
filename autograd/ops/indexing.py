"""Reading and writing elements by index."""

from __future__ import annotations

from typing import Any

from autograd.ops.op import Op

getitem = Op("Slice", lambda xp, input, *, index: input[index], view=True)


@getitem.gradient("input")
def _(xp: Any, g: Any, shapes: Any, index: Any) -> Any:
    result = xp.zeros(shapes[0], g.dtype)
    result[index] = g
    return result


take = Op("Index", lambda xp, input, *, index: input[index])


@take.gradient("input")
def _(xp: Any, g: Any, shapes: Any, index: Any) -> Any:
    result = xp.zeros(shapes[0], g.dtype)
    xp.scatter_add(result, index, g)
    return result


def _setitem(xp: Any, input: Any, value: Any, *, index: Any) -> Any:
    result = input.copy()
    result[index] = value
    return result


setitem = Op("CopySlices", _setitem)


@setitem.gradient("input")
def _(xp: Any, g: Any, index: Any) -> Any:
    result = g.copy()
    result[index] = 0
    return result


@setitem.gradient("value")
def _(xp: Any, g: Any, index: Any) -> Any:
    return g[index]
