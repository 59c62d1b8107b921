"""Reductions over all or some dimensions."""

from __future__ import annotations

from typing import Any

from autograd.ops.op import Op


def spread(xp: Any, g: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """The gradient of a reduction's result, laid out to broadcast against its input."""
    if dim is None:
        return xp.broadcast_to(g, shape)
    dims = (dim,) if isinstance(dim, int) else dim
    if not keepdim:
        g = xp.expand_dims(g, tuple(d % len(shape) for d in dims))
    return xp.broadcast_to(g, shape)


sum = Op("Sum", lambda xp, input, *, dim, keepdim: xp.add.reduce(input, axis=dim, keepdims=keepdim))  # noqa: A001


@sum.gradient("input")
def _(xp: Any, g: Any, shapes: Any, dim: Any, keepdim: bool) -> Any:
    return spread(xp, g, shapes[0], dim, keepdim)
