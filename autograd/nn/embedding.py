"""`Embedding`."""

from __future__ import annotations

from autograd.creation import empty
from autograd.dtypes import DeviceLike, DTypeLike
from autograd.engine.grad_mode import no_grad
from autograd.nn import functional, init
from autograd.nn.functional.embedding import refuse_options, row_of_padding
from autograd.nn.module import Module
from autograd.nn.parameter import Parameter
from autograd.tensors.tensor import Tensor


class Embedding(Module):
    """A table of vectors: whole numbers (...) to (..., embedding_dim).

    The row `padding_idx` starts as zeros and gets no gradient. `max_norm`, `scale_grad_by_freq` and
    `sparse` are not offered.
    """

    weight: Tensor  # (num_embeddings, embedding_dim)

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        *,
        device: DeviceLike | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__()
        refuse_options(max_norm, scale_grad_by_freq, sparse)
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None
        if padding_idx is not None:
            self.padding_idx = row_of_padding(padding_idx, num_embeddings)
        self.weight = Parameter(empty(num_embeddings, embedding_dim, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the vectors from N(0, 1), as torch does."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)

    def forward(self, input: Tensor) -> Tensor:
        return functional.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
