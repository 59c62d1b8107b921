"""Random numbers, as functions of the parameters of their distribution."""

from __future__ import annotations

from autograd.ops.op import Op

# As in torch, this gradient is 0; `Normal.rsample` has one.
normal = Op(
    "Normal", lambda xp, mean, std, *, noise: (noise * std + mean).astype(noise.dtype, copy=False),
    mean=lambda xp, g: xp.zeros_like(g),
    std=lambda xp, g: xp.zeros_like(g),
)  # fmt: skip

# `mask`: bools, which elements are kept.
dropout = Op(
    "Dropout", lambda xp, input, *, mask, scale: xp.scaled_product(input, mask, scale),
    input=lambda xp, g, mask, scale: xp.scaled_product(g, mask, scale),
)  # fmt: skip
