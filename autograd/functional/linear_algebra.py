"""Products of matrices and vectors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd.backend import Array
from autograd.engine.apply import apply, binary
from autograd.errors import not_implemented
from autograd.functional import arithmetic
from autograd.functional.broadcasting import broadcast_shapes
from autograd.functional.checks import integer, require_both, require_tensor, type_name
from autograd.functional.shape import reshape
from autograd.functional.shape_methods import expand
from autograd.ops import linear_algebra as ops
from autograd.ops import shape as shape_ops
from autograd.ops.op import Op

if TYPE_CHECKING:
    from autograd.types import Tensor

# The C++ names of the dtypes, in messages.
C_NAMES = {
    "float16": "c10::Half", "float32": "float", "float64": "double", "int8": "signed char",
    "int16": "short int", "int32": "int", "int64": "long int", "uint8": "unsigned char",
    "bool": "bool",
}  # fmt: skip


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices."""
    require_both("mm", input, mat2, "mat2")
    for name, tensor in (("self", input), ("mat2", mat2)):
        if tensor._array.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix")
    return _mm(input, mat2)


def _mm(input: Tensor, mat2: Tensor) -> Tensor:
    a, b = input._array, mat2._array
    if a.shape[1] != b.shape[0]:
        raise _mismatch(a.shape, b.shape)
    if a.dtype is not b.dtype or a.dtype.kind == "b":
        _check_mm_dtype(a, b)
    return binary(ops.mm, input, mat2)


def _mismatch(first: tuple[int, ...], second: tuple[int, ...]) -> RuntimeError:
    return RuntimeError(
        f"mat1 and mat2 shapes cannot be multiplied ({first[0]}x{first[1]} and "
        f"{second[0]}x{second[1]})"
    )


def _check_mm_dtype(a: Array, b: Array) -> None:
    if a.dtype != b.dtype:
        raise RuntimeError(
            "expected m1 and m2 to have the same dtype, but got: "
            f"{C_NAMES[a.dtype.name]} != {C_NAMES[b.dtype.name]}"
        )
    _refuse_bool("addmm_impl_cpu_", a)


def _refuse_bool(kernel: str, array: Array) -> None:
    if array.dtype.kind == "b":
        raise not_implemented(kernel)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two batches of matrices, `(b, n, k)` and `(b, k, m)`."""
    require_both("bmm", input, mat2, "mat2")
    a, b = input._array, mat2._array
    for name, array in (("batch1", a), ("batch2", b)):
        if array.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise RuntimeError(
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"[{a.shape[0]}, {a.shape[2]}] but got: [{b.shape[0]}, {b.shape[1]}]."
        )
    _check_bmm_dtype(a, b)
    return apply(ops.bmm, input, mat2)


def _check_bmm_dtype(a: Array, b: Array) -> None:
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"expected scalar type {type_name(a)} but found {type_name(b)}: both must have the "
            "same dtype"
        )
    _refuse_bool("bmm", a)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector."""
    require_both("mv", input, vec, "vec")
    a, v = input._array, vec._array
    if a.ndim != 2 or v.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {a.ndim}, {v.ndim}")
    if a.shape[1] != v.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({a.shape[0]}), mat ({a.shape[0]}x{a.shape[1]}), "
            f"vec ({v.shape[0]})"
        )
    if a.dtype != v.dtype:
        raise RuntimeError(
            f"addmv input tensors must have the same dtype, but got {type_name(v)}, "
            f"{type_name(a)}, and {type_name(v)}"
        )
    _refuse_bool("addmv_impl_cpu", a)
    return apply(ops.mv, input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The sum of the products of two vectors."""
    require_both("dot", input, tensor, "tensor")
    a, b = input._array, tensor._array
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype != b.dtype:
        raise RuntimeError(
            "dot : expected both vectors to have same dtype, but found "
            f"{type_name(a)} and {type_name(b)}"
        )
    if a.size != b.size:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a.size}] and src [{b.size}] to have the "
            f"same number of elements, but got {a.size} and {b.size} elements respectively"
        )
    _refuse_bool("dot", a)
    return apply(ops.dot, input, tensor)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """The products of every element of one vector with every element of the other."""
    require_both("outer", input, vec2, "vec2")
    for name, tensor in (("self", input), ("vec2", vec2)):
        if tensor._array.ndim != 1:
            raise RuntimeError(
                f"outer: Expected 1-D argument {name}, but got {tensor._array.ndim}-D"
            )
    return arithmetic.mul(reshape(input, (input._array.size, 1)), vec2)


ger = outer


def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """`beta * input + alpha * (mat1 @ mat2)`."""
    require_both("addmm", input, mat1, "mat1")
    require_tensor("addmm", mat2, "mat2", 3)
    a, m1, m2 = input._array, mat1._array, mat2._array
    for name, array in (("mat1", m1), ("mat2", m2)):
        if array.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {array.ndim}-D tensor")
    if m1.shape[1] != m2.shape[0]:
        raise _mismatch(m1.shape, m2.shape)
    if a.dtype != m2.dtype:
        raise RuntimeError(
            f"self and mat2 must have the same dtype, but got {type_name(a)} and {type_name(m2)}"
        )
    _check_mm_dtype(m1, m2)
    shape = (m1.shape[0], m2.shape[1])
    if a.shape not in (shape, shape[1:]):
        input = expand(input, shape)
    if a.dtype.kind != "f":
        beta, alpha = int(beta), int(alpha)
    return apply(ops.addmm, input, mat1, mat2, alpha=alpha, beta=beta)


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The product of matrices, vectors or batches of matrices, by their numbers of dimensions."""
    require_both("matmul", input, other)
    dims = input._array.ndim, other._array.ndim
    if dims == (2, 2):
        return _mm(input, other)
    if 0 in dims:
        raise RuntimeError(
            "both arguments to matmul need to be at least 1D, but they are "
            f"{dims[0]}D and {dims[1]}D"
        )
    if dims == (1, 1):
        return dot(input, other)
    if dims == (2, 1):
        return mv(input, other)
    if dims[0] == 1:
        row = apply(shape_ops.unsqueeze, input, shape=(1, *input._array.shape))
        product = matmul(row, other)
        shape = product._array.shape
        return apply(shape_ops.squeeze_dim, product, shape=(*shape[:-2], shape[-1]))
    if dims[1] <= 2:  # one large product instead of a batch of small ones
        *outer, inner = input._array.shape
        flat = reshape(input, (math.prod(outer), inner))
        product = mv(flat, other) if dims[1] == 1 else _mm(flat, other)
        return reshape(product, (*outer, *other._array.shape[1:]))
    return _batched(input, other)


def _batched(input: Tensor, other: Tensor) -> Tensor:
    a, b = input._array.shape, other._array.shape
    batch = broadcast_shapes(a[:-2], b[:-2])
    if a[-1] != b[-2]:
        count = math.prod(batch)
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{count}, {a[-1]}] "
            f"but got: [{count}, {b[-2]}]."
        )
    _check_bmm_dtype(input._array, other._array)
    return apply(ops.bmm, input, other)


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of matrices (..., n, m), up to a diagonal; 0 above it."""
    return _triangle("tril", ops.tril, input, diagonal)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of matrices (..., n, m), from a diagonal on; 0 below it."""
    return _triangle("triu", ops.triu, input, diagonal)


def _triangle(name: str, op: Op, input: Tensor, diagonal: int) -> Tensor:
    require_tensor(name, input)
    if input._array.ndim < 2:
        raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
    return apply(op, input, diagonal=integer(name, diagonal, "diagonal", 2))


def matmul_operator(input: Tensor, other: Any) -> Tensor:
    """`input @ other`."""
    if not hasattr(other, "_array"):
        return NotImplemented
    return matmul(input, other)
