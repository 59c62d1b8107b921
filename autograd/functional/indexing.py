"""Reading and writing elements by index."""

from __future__ import annotations

from typing import Any

from autograd.engine import apply
from autograd.functional.checks import require_tensor, wrap_dim
from autograd.functional.index_parsing import check_bounds
from autograd.ops import indexing as ops


def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """`out[i][j] = input[i][index[i][j]]` for `dim=1`, and so on."""
    require_tensor("gather", input)
    if sparse_grad:
        raise NotImplementedError("gather(sparse_grad=True): autograd has no sparse tensors")
    places, dim = _places("gather", input, dim, index, "input")
    _check_smaller(places, input._array.shape, dim, None)
    check_bounds(places, _size(input, dim), dim, RuntimeError)
    if input._array.ndim == 0:
        return apply(ops.take, input, index=(None,) * (places.ndim == 1) + (...,))
    if places.size == 0:
        places = places.reshape(places.shape if places.ndim == input._array.ndim else (0,) * input._array.ndim)
    return apply(ops.gather, input, index=places, dim=dim)


def _size(input: Any, dim: int) -> int:
    return input._array.shape[dim] if input._array.ndim else 1


def _places(name: str, input: Any, dim: int, index: Any, what: str) -> tuple[Any, int]:
    """The array of indices and the dimension that it counts, both checked."""
    require_tensor(name, index, "index", 3 if what == "self" else 2)
    dim = wrap_dim(dim, input._array.ndim)
    places = index._array
    if places.dtype.name not in ("int64", "int32"):
        shown = "gather" if name == "gather" else "scatter"
        raise RuntimeError(f"{shown}(): Expected dtype int32/int64 for index")
    if places.size and max(places.ndim, 1) != max(input._array.ndim, 1):
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as {what} tensor"
        )
    return places, dim


def _check_smaller(
    places: Any, shape: tuple[int, ...], dim: int, src: tuple[int, ...] | None
) -> None:
    if not places.size:
        return
    for i, n in enumerate(places.shape):
        too_big = len(shape) and i != dim and n > shape[i]
        if src is None and too_big:
            raise RuntimeError(
                f"Size does not match at dimension {i} expected index {list(places.shape)} to be no "
                f"larger than self {list(shape)} apart from dimension {dim}"
            )
        if src is not None and (too_big or n > (src[i] if src else 1)):
            raise RuntimeError(
                f"Expected index {list(places.shape)} to be no larger than self {list(shape)} apart "
                f"from dimension {dim} and to be no larger size than src {list(src)}"
            )
