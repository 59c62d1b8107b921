"""Instructions of learning that work row by row: norms of rows, and distributions of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiled.instructions import FLOAT32, Instruction, NotCompiledError, padded, size
from autograd.compiled.loops import split_by_rows


def row_norm(
    emitter: Any, x: Any, weight: Any, bias: Any, eps: float, is_centred: bool
) -> tuple[Any, Any, Any]:
    """Rows normalised, and what their gradient needs."""
    shape = np.broadcast_shapes(x.shape, weight.shape)
    out, normalized = emitter.memory.new(shape), emitter.memory.new(shape)
    inverse = emitter.memory.new((*shape[:-1], 1))
    bias = 0.0 if bias is None else bias
    _write_rows(
        emitter, "ROW_NORM", is_centred, [x, weight, bias, eps], [out, normalized, inverse], shape
    )
    return out, normalized, inverse


def row_norm_gradient(
    emitter: Any, g: Any, weight: Any, normalized: Any, inverse: Any, is_centred: bool
) -> Any:
    """The gradient of the rows."""
    result = emitter.memory.new(normalized.shape)
    inputs = [g, weight, normalized, inverse]
    _write_rows(emitter, "ROW_NORM_GRADIENT", is_centred, inputs, [result], normalized.shape)
    return result


def _write_rows(
    emitter: Any,
    op: str,
    is_centred: bool,
    inputs: list[Any],
    outs: list[Any],
    shape: Sequence[int],
) -> None:
    """Write a loop over rows of `shape`, (networks, rows, n) or (rows, n)."""
    if len(shape) not in (2, 3):
        raise NotCompiledError("rows of other than (networks, rows, n)")
    whole = (*padded(shape, 1, 3)[:2], 1, shape[-1])
    dimensions = (0, 1, 3)[-len(shape) :]
    places = [emitter.memory.placed(x, dimensions, whole) for x in (*inputs, *outs)]
    code = "CENTRED" if is_centred else "AS_IT_IS"
    instruction = Instruction(op, code, whole, places, len(inputs), work=8 * size(shape))
    instruction.writes = list(range(len(inputs), len(places)))
    split_by_rows(instruction, 1, 1, whole[1])
    emitter.write(instruction)


def quantile_huber(emitter: Any, quantiles: Any, target: Any) -> Any:
    """Losses of quantiles, and their gradients."""
    networks, rows, m = quantiles.shape
    losses, slopes = emitter.memory.new((networks, rows, 1)), emitter.memory.new(quantiles.shape)
    loops = (networks, rows, m, target.shape[-1])
    arrays = (quantiles, (0, 1, 2)), (target, (1, 3)), (losses[..., 0], (0, 1)), (slopes, (0, 1, 2))
    places = [emitter.memory.placed(array, dims, loops) for array, dims in arrays]
    instruction = Instruction("QUANTILE_HUBER", "", loops, places, 2, work=6 * size(loops))
    instruction.writes = [2, 3]
    split_by_rows(instruction, 1, 1, rows)
    emitter.write(instruction)
    return losses, slopes


def spread_atoms(emitter: Any, shares: Any, places: Any, low: float, high: float) -> Any:
    """Shares of atoms at other places."""
    rows, n = shares.shape
    result, loops = emitter.memory.new(shares.shape), (1, rows, 1, n)
    width = (n - 1) / (high - low)
    operands = [emitter.memory.placed(x, (1, 3), loops) for x in (shares, places)]
    operands += [emitter.memory.placed(np.full((1, 1), x, FLOAT32), (1, 3), loops)
                 for x in (low, high, width)]  # fmt: skip
    operands.append(emitter.memory.placed(result, (1, 3), loops))
    instruction = Instruction("SPREAD_ATOMS", "", loops, operands, 5, work=8 * rows * n)
    split_by_rows(instruction, 1, 1, rows)
    emitter.write(instruction)
    return result
