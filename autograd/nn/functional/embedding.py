"""`embedding`: rows of a table."""

from __future__ import annotations

from autograd.engine.apply import apply
from autograd.errors import NotOfferedError
from autograd.functional.checks import require_tensor
from autograd.functional.index_parsing import check_bounds
from autograd.ops import indexing as ops
from autograd.tensors.tensor import Tensor


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight` (n, size) at the places `input` (...), as (..., size).

    The row `padding_idx` gets no gradient. `max_norm`, `scale_grad_by_freq` and `sparse` are not
    offered.
    """
    refuse_options(max_norm, scale_grad_by_freq, sparse)
    require_tensor("embedding", weight, "weight")
    require_tensor("embedding", input, "indices", 2)
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if input._array.dtype.name not in ("int64", "int32"):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got {input.type()} instead (while checking arguments for embedding)"
        )
    row = None if padding_idx is None else row_of_padding(padding_idx, weight.shape[0])
    try:
        check_bounds(input._array, weight.shape[0], 0, IndexError)
    except IndexError as error:
        raise IndexError(f"index out of range in self: {error}") from None
    return apply(ops.embedding, weight, input, padding_idx=row)


def row_of_padding(padding_idx: int, rows: int) -> int:
    """Return `padding_idx` counted from the front; AssertionError if there is no such row."""
    if not -rows <= padding_idx < rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return padding_idx % rows


def refuse_options(max_norm: float | None, scale_grad_by_freq: bool, sparse: bool) -> None:
    """Raise NotOfferedError for the options of an embedding that are left out."""
    given = {"max_norm": max_norm, "scale_grad_by_freq": scale_grad_by_freq, "sparse": sparse}
    for name, value in given.items():
        if value not in (None, False):
            raise NotOfferedError(f"{name}={value}: autograd does not offer it for embeddings")
