"""Instructions for products of matrices, with what follows them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiled.instructions import Instruction, NotCompiledError, Place, size
from autograd.compiled.loops import FEWEST_ROWS, split_by_rows
from autograd.compiled.memory import Memory

FEW_COLUMNS = 16  # of a product, for which dot products are faster than strips
FEW_TERMS = 16  # of a sum, for which they are not


class Products:
    """Writes products into a list of instructions.

    There are three kernels. Rows of samples times weights: the weights are packed once, and the
    rows are cut into parts. The same with few columns: dot products. A sum over samples, as in the
    gradient of weights: the columns are cut into strips.
    """

    def __init__(self, memory: Memory, strip: int, tile: int) -> None:
        """`strip`, `tile`: columns and rows that the kernels compute together."""
        self._memory = memory
        self.strip, self.tile = strip, tile
        self.packed: dict[Any, Place] = {}  # what has been packed, by its place and version

    def product(self, first: Any, second: Any, out: Any) -> list[Instruction]:
        """Return the instructions of `out = first @ second`, of matrices or of stacks of them."""
        *batch, m, columns = out.shape
        depth = first.shape[-1]
        if len(batch) > 1 or not (out.size and depth):
            raise NotCompiledError("an empty product, or one of stacks of stacks")
        loops, stack = (size(batch), m, columns, depth), range(len(batch))
        a, b, c = (
            self._memory.placed(array, (*stack, *dimensions), loops)
            for array, dimensions in ((first, (1, 3)), (second, (3, 2)), (out, (1, 2)))
        )
        return self._kernel(loops, a, b, c)

    def _kernel(
        self, shape: tuple[int, int, int, int], a: Place, b: Place, c: Place
    ) -> list[Instruction]:
        networks, m, columns, depth = shape
        before: list[Instruction] = []
        is_over_samples = depth > 1 and a.strides[1] == 1 != a.strides[3]
        if is_over_samples or m < FEWEST_ROWS:
            if columns <= self.tile < m:  # exchange rows and columns: strips are never narrow
                a, b, c = _exchanged(b), _exchanged(a), _exchanged(c)
                m, columns = columns, m
            instruction = Instruction(
                "STRIPS", "PLAIN", (networks, m, columns, depth), [a, b, c], 2
            )
            instruction.split, instruction.group = 2, instruction
            instruction.extent = networks * -(-columns // self.strip)
            instruction.fixed_scratch = 4 * depth * self.strip
        elif columns <= FEW_COLUMNS and depth >= FEW_TERMS and a.strides[3] == 1:
            b = self._side_by_side(b, shape, before)
            instruction = Instruction("DOTS", "PLAIN", shape, [a, b, c], 2)
            split_by_rows(instruction, 1, 1, m)
        else:
            b = self._pack(b, shape, before)
            instruction = Instruction("PRODUCT", "PLAIN", shape, [a, b, c], 2)
            split_by_rows(instruction, 1, 1, m)
            instruction.scratch = 4 * depth + 4
        instruction.work = size(shape)
        return [*before, instruction]

    def _side_by_side(
        self, b: Place, shape: tuple[int, int, int, int], before: list[Instruction]
    ) -> Place:
        """Return the columns of B with their elements side by side, as dot products take them."""
        networks, _, columns, depth = shape
        if b.strides[3] == 1:
            return b
        key = b, columns, depth, b.root.version
        if key not in self.packed:
            loops = (networks if b.strides[0] else 1, 1, columns, depth)
            root, _ = self._memory.place(self._memory.new(loops))
            own = Place(root, "FLOAT", 0, (columns * depth, 0, depth, 1))
            before.append(
                Instruction("ELEMENTWISE", "COPY", loops, [b, own], 1, work=2 * size(loops))
            )
            stride = columns * depth if b.strides[0] else 0
            self.packed[key] = Place(root, "FLOAT", 0, (stride, 0, depth, 1))
        return self.packed[key]

    def _pack(self, b: Place, shape: tuple[int, int, int, int], before: list[Instruction]) -> Place:
        """Return B in strips."""
        networks, _, columns, depth = shape
        key = b, networks, columns, depth, b.root.version
        if key not in self.packed:
            strips = -(-columns // self.strip)
            array = self._memory.new((networks * strips * depth * self.strip,))
            own = Place(self._memory.place(array)[0], "PACKED", 0, (0, 0, 0, 0))
            pack = Instruction("PACK", "", (networks, 1, columns, depth), [b, own], 1)
            pack.split, pack.extent, pack.group = 2, networks * strips, pack
            pack.work = 4 * networks * columns * depth
            before.append(pack)
            self.packed[key] = own
        return self.packed[key]

    def ended(self, last: Instruction, code: str, y: Any, extra: Any) -> Instruction | None:
        """Return a product that does what follows it, if it makes `y` and can; else None.

        `code`: BIAS, BIAS_RELU, or RELU_MASK, which leaves what does not lie under zeros.
        """
        if last.op not in ("PRODUCT", "DOTS") or last.code != "PLAIN":
            return None
        networks, m, columns, _ = last.shape
        out = last.places[-1]
        is_same = self._memory.place(y) == (out.root, out.offset)
        shape = y.shape if y.ndim == 3 else (1, *y.shape)
        if not is_same or shape != (networks, m, columns):
            return None
        if isinstance(extra, np.ndarray) and extra.ndim == 2 and y.ndim == 3:
            return None  # it would be the same for all networks
        operand = self._memory.operand(extra, shape)
        if operand.type != "FLOAT":
            return None
        place = Place(operand.root, "FLOAT", operand.offset, (*operand.strides, 0))
        return dataclasses.replace(last, code=code, places=[*last.places[:2], place, out], inputs=3)


def is_outer(inputs: Sequence[tuple[int, ...]], shape: tuple[int, ...]) -> bool:
    """Whether shapes are a column's and a row's, whose product may have something done at its end.

    `shape` is that of the result.
    """
    if len(shape) not in (2, 3) or min(shape[-2:]) < FEWEST_ROWS:
        return False
    first, second = inputs
    return first[-2:] == (shape[-2], 1) and second[-2:] == (1, shape[-1])


def _exchanged(place: Place) -> Place:
    """Return an operand of the transposed product."""
    n, i, j, k = place.strides
    return place._replace(strides=(n, j, i, k))
