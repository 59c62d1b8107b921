"""All that `cupy` offers at its top, by name: what is not here does not exist there either."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cupy_standin import (
    creation,
    indexing,
    linear_algebra,
    manipulation,
    methods,
    reduction,
    sorting,
)
from tests.cupy_standin.loops import UFUNCS
from tests.cupy_standin.memory import pinned_pool, pool
from tests.cupy_standin.ndarray import ndarray

__version__ = "14.2.0"

FUNCTIONS: dict[Any, tuple[str, ...]] = {
    creation: (
        "array", "asarray", "ascontiguousarray", "asfortranarray", "asnumpy", "copy", "empty",
        "zeros", "ones", "full", "empty_like", "zeros_like", "ones_like", "full_like", "arange",
        "linspace", "eye", "tri", "tril", "triu",
    ),
    indexing: ("take", "take_along_axis", "put_along_axis", "nonzero"),
    linear_algebra: ("matmul", "dot", "vdot", "inner", "outer", "tensordot", "einsum"),
    manipulation: (
        "reshape", "ravel", "transpose", "permute_dims", "swapaxes", "moveaxis", "squeeze",
        "expand_dims", "broadcast_to", "diagonal", "flip", "concatenate", "stack", "split", "tile",
        "repeat",
        "roll", "pad", "copyto", "may_share_memory", "shares_memory", "shape", "ndim", "size",
    ),
    reduction: (
        "sum", "prod", "mean", "var", "std", "amax", "amin", "max", "min", "argmax", "argmin",
        "any", "all", "count_nonzero", "cumsum", "cumprod", "where", "clip", "nan_to_num",
        "around", "round", "array_equal",
    ),
    sorting: ("sort", "argsort", "searchsorted", "unique", "bincount"),
}  # fmt: skip
OF_NUMPY = (
    "bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16",
    "float32", "float64", "dtype", "generic", "floating", "integer", "pi", "e", "inf", "nan",
    "newaxis", "result_type", "promote_types", "can_cast", "iinfo", "finfo", "issubdtype",
    "broadcast_shapes", "isscalar",
)  # fmt: skip

globals().update(UFUNCS)
for _module, _names in FUNCTIONS.items():
    globals().update({name: getattr(_module, name) for name in _names})
globals().update({name: getattr(np, name) for name in OF_NUMPY})

assert methods.ndarray is ndarray


def get_default_memory_pool() -> Any:
    """The pool of the devices' memory."""
    return pool


def get_default_pinned_memory_pool() -> Any:
    """The pool of pinned memory."""
    return pinned_pool


def get_array_module(*args: Any) -> Any:
    """`cupy` if one of the arrays is its own, otherwise `numpy`."""
    import sys

    return sys.modules["cupy"] if any(isinstance(a, ndarray) for a in args) else np


def is_available() -> bool:
    """Whether there is a device."""
    return True


NAMES = (
    *UFUNCS, *(name for names in FUNCTIONS.values() for name in names), *OF_NUMPY, "ndarray",
    "get_default_memory_pool", "get_default_pinned_memory_pool", "get_array_module",
    "is_available", "__version__",
)  # fmt: skip
