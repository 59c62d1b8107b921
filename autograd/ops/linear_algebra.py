"""Matrix products."""

from __future__ import annotations

from autograd.ops.op import op

mm = op(
    "Mm", lambda xp, input, mat2: xp.matmul(input, mat2),
    input=lambda xp, g, mat2: xp.matmul(g, mat2.T),
    mat2=lambda xp, g, input: xp.matmul(input.T, g),
)  # fmt: skip

matmul = op(
    "Bmm", lambda xp, input, other: xp.matmul(input, other),
    input=lambda xp, g, other: xp.matmul(g, other.swapaxes(-1, -2)),
    other=lambda xp, g, input: xp.matmul(input.swapaxes(-1, -2), g),
)  # fmt: skip
