"""Broadcasting of shapes, with torch's errors."""

from __future__ import annotations


def broadcast_shapes(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that both expand to; RuntimeError if there is none."""
    ndim = max(len(first), len(second))
    a, b = ((1,) * (ndim - len(s)) + s for s in (first, second))
    for i, (m, n) in enumerate(zip(a, b, strict=True)):
        if m != n and 1 not in (m, n):
            raise RuntimeError(
                f"The size of tensor a ({m}) must match the size of tensor b ({n}) at "
                f"non-singleton dimension {i}"
            )
    return tuple(n if m == 1 else m for m, n in zip(a, b, strict=True))
