"""Layers and values of several networks side by side, (networks, batch, units)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autograd.backend import Array, Backend
from autograd.ops.op import Op


def _affine(xp: Backend, input: Array, weight: Array, bias: Array) -> Array:
    """`input @ weight.T + bias`, weight (networks, out, in), bias (networks, 1, out) or None."""
    out = xp.matmul(input, weight.swapaxes(-1, -2))
    if bias is not None:
        xp.add_bias_(out, bias, "")
    return out


affine = Op("StackedAddmm", _affine)


@affine.joint_gradient(input=("weight",), weight=("input",))
def _(
    xp: Backend, g: Array, needs: Sequence[bool], input: Array, weight: Array
) -> tuple[Array | None, ...]:
    return (
        xp.matmul(g, weight) if needs[0] else None,
        xp.matmul(g.swapaxes(-1, -2), input) if needs[1] else None,
        xp.sum_of_rows(g)[:, None] if needs[2] else None,
    )


lowest = Op("Lowest", lambda xp, input: xp.min(input, axis=0),
            input=lambda xp, g, input: xp.minimum_gradient(g, input))  # fmt: skip


def _of_lowest(xp: Backend, input: Array, values: Array) -> Array:
    """The rows of `input` (networks, batch, n) of the networks with the lowest `values`."""
    is_lowest = xp.minimum_gradient(xp.ones(values.shape[1:], values.dtype), values)
    return xp.sum(input * is_lowest, axis=0)


of_lowest = Op("OfLowest", _of_lowest)


def _quantile_huber(xp: Backend, input: Array, target: Array) -> tuple[Array, tuple[Array]]:
    """Losses (networks, batch, 1) of quantiles (networks, batch, m) against targets (batch, k)."""
    losses, slopes = xp.quantile_huber(input, target)
    return losses, (slopes,)


quantile_huber = Op("QuantileHuber", _quantile_huber, keeps=True)


@quantile_huber.gradient("input")
def _(xp: Backend, g: Array, kept: tuple[Array]) -> Array:
    return g * kept[0]


spread_atoms = Op(
    "SpreadAtoms",
    lambda xp, input, places, *, low, high: xp.spread_atoms(input, places, low, high),
)


# Without a gradient: targets are made of it.
smallest = Op("Smallest", lambda xp, input, *, count: xp.sort(input, axis=-1)[..., :count])


def matrices(parameters: Array, places: Sequence[tuple[int, int, int]]) -> Iterator[Array]:
    """Yield views (networks, rows, columns) of parameters (networks, size)."""
    for start, rows, columns in places:
        part = parameters[:, start : start + rows * columns]
        yield part.reshape(len(parameters), rows, columns)


def normalize_rows_(xp: Backend, matrices: Array) -> None:
    """Scale the rows of matrices to norm 1, in place; a row of zeros stays."""
    norm = xp.sqrt(xp.sum(matrices * matrices, axis=-1, keepdims=True))
    xp.divide(matrices, xp.maximum(norm, 1e-12), out=matrices)
