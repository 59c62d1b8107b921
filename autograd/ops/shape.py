"""Views and copies of other shapes."""

from __future__ import annotations

from typing import Any

from autograd.ops.op import Op, op

reshape = op("View", lambda xp, input, *, shape: input.reshape(shape), view=True,
             input=lambda xp, g, shapes: g.reshape(shapes[0]))  # fmt: skip

transpose = op("Transpose", lambda xp, input, *, dim0, dim1: input.swapaxes(dim0, dim1), view=True,
               input=lambda xp, g, dim0, dim1: g.swapaxes(dim0, dim1))  # fmt: skip

t = op("T", lambda xp, input: input.T, view=True, input=lambda xp, g: g.T)

unsqueeze = op("Unsqueeze", lambda xp, input, *, dim: xp.expand_dims(input, dim), view=True,
               input=lambda xp, g, shapes: g.reshape(shapes[0]))  # fmt: skip

squeeze = op("Squeeze", lambda xp, input, *, shape: input.reshape(shape), view=True,
             input=lambda xp, g, shapes: g.reshape(shapes[0]))  # fmt: skip

expand = op("Expand", lambda xp, input, *, shape: xp.broadcast_to(input, shape), view=True,
            input=lambda xp, g: g)  # fmt: skip

clone = op("Clone", lambda xp, input: input.copy(), input=lambda xp, g: g)

to_dtype = op("ToCopy", lambda xp, input, *, dtype: input.astype(dtype), input=lambda xp, g: g)

cat = Op("Cat", lambda xp, *inputs, dim: xp.concatenate(inputs, axis=dim), promote="number")


@cat.joint_gradient()
def _(xp: Any, g: Any, shapes: Any, needs: Any, dim: int) -> tuple[Any, ...]:
    gradients, start = [], 0
    for shape, needed in zip(shapes, needs, strict=True):
        part = [slice(None)] * g.ndim
        part[dim] = slice(start, start + shape[dim])
        gradients.append(g[tuple(part)] if needed else None)
        start += shape[dim]
    return tuple(gradients)
