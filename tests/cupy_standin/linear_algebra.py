"""Matrix products and decompositions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cupy_standin.counts import recorder
from tests.cupy_standin.manipulation import require
from tests.cupy_standin.ndarray import ndarray, new


def matmul(
    *args: Any,
    axes: Any = None,
    axis: Any = None,
    keepdims: bool = False,
    casting: str = "same_kind",
    dtype: Any = None,
    signature: Any = None,
    order: str = "K",
    out: Any = None,
) -> ndarray:
    """The matrix product."""
    a, b, *rest = args
    if axes is not None or axis is not None or signature is not None:
        raise NotImplementedError("the stand-in multiplies the last two axes")
    return _multiplied(np.matmul, a, b, rest[0] if rest else out)


def dot(a: Any, b: Any, out: Any = None) -> ndarray:
    """The dot product; `out` has to fit exactly."""
    if out is not None and not (out.flags.c_contiguous and out.dtype == np.result_type(a, b)):
        raise ValueError("Output array must be C-contiguous, of the same dtype")
    return _multiplied(np.dot, a, b, out)


def vdot(a: Any, b: Any) -> ndarray:
    """The dot product of all elements."""
    return _multiplied(np.vdot, a, b, None)


def inner(a: Any, b: Any) -> ndarray:
    """The inner product."""
    return _multiplied(np.inner, a, b, None)


def outer(a: Any, b: Any, out: Any = None) -> ndarray:
    """The outer product."""
    require(a, b)
    recorder.kernel("cupy_multiply")
    return _into(out, np.outer(a._host, b._host))


def tensordot(a: Any, b: Any, axes: Any = 2) -> ndarray:
    """The product over some axes."""
    require(a, b)
    recorder.add("gemms")
    return new(np.tensordot(a._host, b._host, axes))


def _multiplied(function: Any, a: Any, b: Any, out: Any) -> ndarray:
    require(a, b)
    for operand in (a, b):
        if operand.ndim > 1 and not _is_for_blas(operand._host):
            recorder.kernel("cupy_copy")
    recorder.add("gemms")
    with np.errstate(all="ignore"):
        return _into(out, function(a._host, b._host))


def _is_for_blas(host: np.ndarray) -> bool:
    """Whether BLAS reads the matrices where they lie: one step between neighbours in one axis."""
    rows, columns = host.strides[-2:]
    unit = host.itemsize
    return (columns == unit and rows >= host.shape[-1] * unit) or (
        rows == unit and columns >= host.shape[-2] * unit
    )


def _into(out: Any, host: Any) -> ndarray:
    if out is None:
        return new(np.array(host, order="C"))
    require(out)
    if out.shape != host.shape:
        raise ValueError("Output array has an invalid size")
    if not np.can_cast(host.dtype, out.dtype, "same_kind"):
        raise TypeError(f"Cannot cast from {host.dtype!r} to {out.dtype!r}")
    if not out._host.flags.c_contiguous:
        recorder.kernel("cupy_copy")
    out._host[...] = host
    return out


def einsum(*operands: Any, **kwargs: Any) -> ndarray:
    """Einstein's sum: `einsum(subscripts, *operands, dtype=None, optimize=False)`."""
    subscripts, *arrays = operands
    unknown = kwargs.keys() - {"dtype", "optimize"}
    if unknown:
        raise TypeError(f"Did not understand the following kwargs: {sorted(unknown)}")
    require(*arrays)
    recorder.kernel("cupy_einsum", len(arrays))
    recorder.add("gemms")
    host = np.einsum(subscripts, *(a._host for a in arrays), optimize=True)
    if len(arrays) == 1 and isinstance(host, np.ndarray) and host.base is not None:
        from tests.cupy_standin.ndarray import view_of

        return view_of(
            arrays[0],
            np.lib.stride_tricks.as_strided(arrays[0]._host, host.shape, host.strides)
            if _starts_alike(host, arrays[0])
            else host,
        )
    return new(host)


def _starts_alike(host: np.ndarray, array: ndarray) -> bool:
    start = host.__array_interface__["data"][0]
    return start == array._host.__array_interface__["data"][0]


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> ndarray:
    """The norm of vectors."""
    require(x)
    recorder.kernel("cupy_norm", 3)
    return new(np.linalg.norm(x._host, ord, axis, keepdims))


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition."""
    require(a)
    recorder.synchronization("svd")  # cuSOLVER's status is read
    recorder.kernel("cusolver_gesvd")
    if not compute_uv:
        return new(np.linalg.svd(a._host, full_matrices, compute_uv=False))
    u, s, vh = np.linalg.svd(a._host, full_matrices)
    return new(u), new(s), new(vh)


def qr(a: Any, mode: str = "reduced") -> Any:
    """The QR decomposition."""
    require(a)
    if mode != "reduced":
        raise NotImplementedError("the stand-in knows the reduced mode")
    recorder.synchronization("qr")
    recorder.kernel("cusolver_geqrf")
    q, r = np.linalg.qr(a._host)
    return new(q), new(r)
