"""Products of matrices and vectors."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.backend import Array, Backend, Shape
from autograd.ops.op import Op


def _product(xp: Backend, input: Array, other: Array) -> Array:
    """`input @ other`; float16 is summed in float32, for precision."""
    if input.dtype.name == "float16":
        wide = xp.matmul(input.astype(xp.float32), other.astype(xp.float32))
        return xp.asarray(wide).astype(xp.float16)
    if input.ndim == 2 == other.ndim and input.shape[1] == 1:  # four times as fast as BLAS
        return input * other
    return xp.matmul(input, other)


mm = Op(
    "Mm", _product,
    input=lambda xp, g, other: _product(xp, g, other.T),
    other=lambda xp, g, input: _product(xp, input.T, g),
)  # fmt: skip

bmm = Op(
    "Bmm", _product,
    input=lambda xp, g, other: _product(xp, g, other.swapaxes(-1, -2)),
    other=lambda xp, g, input: _product(xp, input.swapaxes(-1, -2), g),
)  # fmt: skip

mv = Op(
    "Mv", _product,
    input=lambda xp, g, other: g[:, None] * other,
    other=lambda xp, g, input: _product(xp, input.T, g),
)  # fmt: skip

dot = Op(
    "Dot", _product, input=lambda xp, g, other: g * other, other=lambda xp, g, input: g * input
)


def _addmm(
    xp: Backend, input: Array, mat1: Array, mat2: Array, *, alpha: float, beta: float
) -> Array:
    result = _product(xp, mat1, mat2)
    if alpha != 1:
        result *= alpha
    if beta == 0:  # torch then ignores even a NaN in `input`
        return result
    result += input if beta == 1 else input * beta
    return result


addmm = Op(
    "Addmm", _addmm,
    input=lambda xp, g, beta: g if beta == 1 else g * beta,
    mat1=lambda xp, g, mat2, alpha: _scaled(_product(xp, g, mat2.T), alpha),
    mat2=lambda xp, g, mat1, alpha: _scaled(_product(xp, mat1.T, g), alpha),
)  # fmt: skip


def _scaled(product: Array, alpha: float) -> Array:
    return product if alpha == 1 else product * alpha


def _sum_of_products(
    xp: Backend, subscripts: list[str], out: str, arrays: Sequence[Array]
) -> Array:
    text = ",".join(subscripts) + "->" + out
    if arrays[0].dtype.name == "float16":
        wide = xp.einsum(text, *(a.astype(xp.float32) for a in arrays), optimize=True)
        return xp.asarray(wide).astype(xp.float16)
    return xp.einsum(text, *arrays, optimize=True)


# Each label has one size here: the caller has removed dimensions that broadcast.
einsum = Op("Einsum", lambda xp, *operands, subscripts, out: _owned(
    _sum_of_products(xp, subscripts, out, operands), operands), promote="number")  # fmt: skip


def _owned(result: Array, operands: Sequence[Array]) -> Array:
    """Copy the result if einsum returned a view, as for a transposition."""
    return result.copy() if len(operands) == 1 and result.base is not None else result


@einsum.joint_gradient()
def _(
    xp: Backend,
    g: Array,
    operands: Sequence[Array],
    needs: tuple[bool, ...],
    shapes: Sequence[Shape],
    subscripts: list[str],
    out: str,
) -> tuple[Array, ...]:
    gradients: list[Array] = []
    for i, (needed, labels, shape) in enumerate(zip(needs, subscripts, shapes, strict=True)):
        if not needed:
            gradients.append(None)
            continue
        others = [*operands[:i], *operands[i + 1 :]]
        known = [out, *subscripts[:i], *subscripts[i + 1 :]]
        unique = "".join(dict.fromkeys(labels))
        found = "".join(label for label in unique if any(label in k for k in known))
        part = _sum_of_products(xp, known, found, [g, *others])
        # A label of this operand alone was summed over, so the gradient is constant along it.
        spread = tuple(slice(None) if label in found else None for label in unique)
        sizes = dict(zip(labels, shape, strict=True))
        part = xp.broadcast_to(part[spread], tuple(sizes[label] for label in unique))
        if unique != labels:  # a diagonal was read
            whole = xp.zeros(shape, g.dtype)
            xp.einsum(f"{labels}->{unique}", whole)[...] = part
            part = whole
        gradients.append(part)
    return tuple(gradients)


def _part(xp: Backend, input: Array, diagonal: int, *, upper: bool) -> Array:
    """The matrices with 0 on one side of a diagonal; above it for the lower part."""
    rows, columns = (xp.arange(n) for n in input.shape[-2:])
    distance = columns - rows[:, None]
    kept = distance >= diagonal if upper else distance <= diagonal
    return xp.where(kept, input, xp.zeros((), input.dtype))


tril = Op("Tril", lambda xp, input, *, diagonal: _part(xp, input, diagonal, upper=False),
          input=lambda xp, g, diagonal: _part(xp, g, diagonal, upper=False))  # fmt: skip
triu = Op("Triu", lambda xp, input, *, diagonal: _part(xp, input, diagonal, upper=True),
          input=lambda xp, g, diagonal: _part(xp, g, diagonal, upper=True))  # fmt: skip
