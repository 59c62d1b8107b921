"""`Dropout`."""

from __future__ import annotations

from autograd.nn import functional
from autograd.nn.functional.regularization import check_probability
from autograd.nn.module import Module
from autograd.tensors.tensor import Tensor


class Dropout(Module):
    """In training, zeroes elements with probability `p` and scales the others by 1 / (1 - p)."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability(p)
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
