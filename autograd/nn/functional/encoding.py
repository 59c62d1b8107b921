"""`one_hot`."""

from __future__ import annotations

from autograd.backend import backend_of
from autograd.functional.checks import require_tensor
from autograd.tensors.tensor import Tensor


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A row of zeros with a 1 at each index: int64 (...) gives int64 (..., num_classes).

    Raises:
        RuntimeError: an index is negative or too large; `num_classes` -1 means as many as needed.
    """
    require_tensor("one_hot", tensor, "tensor")
    array = tensor._array
    if array.dtype.name != "int64":
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if array.size == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
    elif array.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    elif num_classes == -1:
        num_classes = int(array.max()) + 1
    elif array.max() >= num_classes:
        raise RuntimeError("Class values must be smaller than num_classes.")
    xp = backend_of(array)
    classes = xp.arange(num_classes)
    return tensor._wrap((array[..., None] == classes).astype(array.dtype))
