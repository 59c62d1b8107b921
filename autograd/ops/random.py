"""Random numbers, as functions of the parameters of their distribution."""

from __future__ import annotations

from autograd.backend import Array, Backend
from autograd.ops.op import Op

# As in torch, this gradient is 0; `Normal.rsample` has one.
normal = Op(
    "Normal", lambda xp, mean, std, *, noise: (noise * std + mean).astype(noise.dtype, copy=False),
    mean=lambda xp, g: xp.zeros_like(g),
    std=lambda xp, g: xp.zeros_like(g),
)  # fmt: skip


def _dropped(xp: Backend, input: Array, *, mask: Array, scale: float) -> Array:
    return xp.scaled_product(input, mask, scale)


# `mask`: bools, which elements are kept.
dropout = Op("Dropout", _dropped,
             input=lambda xp, g, mask, scale: xp.scaled_product(g, mask, scale))  # fmt: skip
