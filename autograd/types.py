"""Types for annotations: `Tensor`, which lower floors take but must not import.

The import is for type checkers alone: the only one that points upwards, and it never runs.
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
