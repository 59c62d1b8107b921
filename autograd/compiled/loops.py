"""Instructions that loop over elements: operations element by element, and reductions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.compiled.instructions import (
    Instruction,
    NotCompiledError,
    Place,
    collapsed,
    padded,
    size,
)
from autograd.compiled.memory import Memory

FEWEST_ROWS = 8  # fewer are not worth a split
PART = 4096  # elements of a part of a long loop
COLUMNS = 64  # of a part of a reduction over rows


def rows_of(shape: Sequence[int]) -> int | None:
    """Return the dimension of the rows, such as the samples of a batch; None if there are few."""
    has_rows = len(shape) >= 2 and shape[-2] >= FEWEST_ROWS
    return len(shape) - 2 if has_rows else None


def split_by_rows(instruction: Instruction, dimension: int, unit: int, rows: int) -> None:
    """Let an instruction be cut along a dimension in which `unit` elements are a row."""
    instruction.split, instruction.unit = dimension, unit
    instruction.extent, instruction.group = rows, ("rows", rows)


def elementwise(memory: Memory, code: str, inputs: Sequence[Any], out: Any) -> Instruction:
    """Return the loop over all elements of `out`, to whose shape the inputs are broadcast."""
    shape = out.shape
    operands = [memory.operand(x, shape) for x in (*inputs, out)]
    rows = rows_of(shape)
    dims, strides, kept, unit = collapsed(shape, [o.strides for o in operands], rows, 4)
    places = [
        Place(o.root, o.type, o.offset, padded(s, 0, 4))
        for o, s in zip(operands, strides, strict=True)
    ]
    loops = padded(dims, 1, 4)
    instruction = Instruction("ELEMENTWISE", code, loops, places, len(inputs), work=2 * size(shape))
    if rows is not None and kept is not None:
        split_by_rows(instruction, kept + 4 - len(dims), unit, shape[rows])
    elif size(shape) > PART:
        instruction.split = loops.index(max(loops))
        instruction.unit = PART if instruction.split == 3 else 1
        instruction.extent = -(-loops[instruction.split] // instruction.unit)
        instruction.group = instruction
    return instruction


def reduction(
    memory: Memory, code: str, inputs: Sequence[Any], axes: Sequence[int], out: Any
) -> Instruction:
    """Return the reduction over `axes`, which `out` has with one element.

    The kernel has two dimensions that stay, then two that are reduced.
    """
    shape = inputs[0].shape
    if size(shape) == 0:
        raise NotCompiledError("a reduction of nothing")
    operands = [memory.operand(x, shape) for x in inputs] + [memory.operand(out, out.shape)]
    others = [i for i in range(len(shape)) if i not in axes]
    rows = rows_of(shape)
    kept_rows = others.index(rows) if rows in others else None
    dims, outer, place, unit = collapsed(
        [shape[i] for i in others], [[o.strides[i] for i in others] for o in operands], kept_rows, 2
    )
    reduced = [[o.strides[i] for i in axes] for o in operands[:-1]] + [[0] * len(axes)]
    inner_dims, inner, _, _ = collapsed([shape[i] for i in axes], reduced, None, 2)
    loops = padded(dims, 1, 2) + padded(inner_dims, 1, 2)
    places = [
        Place(o.root, o.type, o.offset, padded(a, 0, 2) + padded(b, 0, 2))
        for o, a, b in zip(operands, outer, inner, strict=True)
    ]
    instruction = Instruction("REDUCE", code, loops, places, len(inputs), work=size(shape))
    if rows is not None and place is not None:
        split_by_rows(instruction, place + 2 - len(dims), unit, shape[rows])
    elif size(shape) > PART and loops[1] > COLUMNS:
        instruction.split, instruction.unit = 1, COLUMNS
        instruction.extent, instruction.group = -(-loops[1] // COLUMNS), instruction
    else:
        instruction.split, instruction.extent = 1, loops[1]
    return instruction
