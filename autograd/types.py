"""Types that every floor names: `Tensor`, whose class stands above most files that take one.

For type checkers alone: this is the one import that runs upwards, and it never takes place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from autograd.tensors.tensor import Tensor as Tensor

    Operand: TypeAlias = Tensor | float  # a tensor, or a number beside one
    Dims: TypeAlias = (
        int | Sequence[int] | None
    )  # the dimensions that an operation runs over; None: all
