"""Instructions of learning that work column by column: the normalisation of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.compiled.instructions import Instruction, NotCompiledError, padded, size
from autograd.compiled.loops import COLUMNS


def column_norm(emitter: Any, x: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, ...]:
    """Columns normalised, their statistics, and what their gradient needs."""
    out, normalized = emitter.memory.new(x.shape), emitter.memory.new(x.shape)
    mean, variance, inverse = (_for_columns(emitter, x) for _ in range(3))
    outs = [out, mean, variance, normalized, inverse]
    _write_columns(emitter, "COLUMN_NORM", [x, weight, bias, eps], outs, x.shape)
    return tuple(outs)


def column_norm_gradient(
    emitter: Any, g: Any, weight: Any, normalized: Any, inverse: Any
) -> tuple[Any, Any, Any]:
    """The gradients of columns, weight and bias."""
    result = emitter.memory.new(normalized.shape)
    along, total = (_for_columns(emitter, normalized) for _ in range(2))
    inputs, outs = [g, weight, normalized, inverse], [result, along, total]
    _write_columns(emitter, "COLUMN_NORM_GRADIENT", inputs, outs, normalized.shape)
    return result, along, total


def _for_columns(emitter: Any, x: Any) -> Any:
    return emitter.memory.new((*x.shape[:-2], 1, x.shape[-1]))


def _write_columns(
    emitter: Any, op: str, inputs: list[Any], outs: list[Any], shape: Sequence[int]
) -> None:
    """Write a loop over columns of `shape`, (networks, rows, n) or (rows, n)."""
    if len(shape) not in (2, 3):
        raise NotCompiledError("columns of other than (networks, rows, n)")
    networks, rows, n = padded(shape, 1, 3)
    whole = (networks, 1, n, rows)
    dimensions = (0, 3, 2)[-len(shape) :]
    places = [emitter.memory.placed(x, dimensions, whole) for x in (*inputs, *outs)]
    if n > 1 and any(places[i].strides[2] != 1 for i in (0, len(inputs))):
        raise NotCompiledError("columns that do not lie side by side")
    instruction = Instruction(op, "", whole, places, len(inputs), work=8 * size(shape))
    instruction.writes = list(range(len(inputs), len(places)))
    instruction.split, instruction.unit, instruction.group = 2, COLUMNS, instruction
    instruction.extent = -(-n // COLUMNS)
    emitter.write(instruction)
