"""Instructions, as the kernels take them, and the memory that they work on."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from autograd.backend import NUMPY

SOURCE = Path(__file__).with_name("kernels.c")
FLOAT32 = np.dtype(np.float32)


def _numbers(text: str) -> dict[str, int]:
    """Return the values of the names in the enumerations of a C text."""
    numbers: dict[str, int] = {}
    for block in re.findall(r"^enum \{(.*?)\};", text, re.DOTALL | re.MULTILINE):
        names = re.findall(r"\w+", re.sub(r"//.*", "", block))
        assert not numbers.keys() & set(names), "a name has one value"
        numbers |= {name: i for i, name in enumerate(names)}
    return numbers


NUMBERS = _numbers(SOURCE.read_text(encoding="ascii"))
TYPES = {
    np.dtype(np.float32): "FLOAT", np.dtype(np.bool_): "BOOL", np.dtype(np.int64): "INT",
    np.dtype(np.uint8): "BYTE",
}  # fmt: skip
SIZES = {"FLOAT": 4, "BOOL": 1, "INT": 8, "BYTE": 1, "PACKED": 4, "SETTINGS": 8}  # bytes

LASTING = ("tensor", "bound")  # kinds of roots that outlive a program

OPERAND = np.dtype(
    [("slot", "i4"), ("type", "i4"), ("offset", "i8"), ("stride", "i8", 4)], align=True
)
INSTRUCTION = np.dtype(
    [("op", "i4"), ("code", "i4"), ("split", "i4"), ("inputs", "i4"), ("unit", "i8"),
     ("shape", "i8", 4), ("operand", OPERAND, 9)], align=True,
)  # fmt: skip
GROUP = np.dtype([("first", "i4"), ("count", "i4"), ("extent", "i8"), ("parts", "i8")], align=True)
STAGE = np.dtype([("first", "i4"), ("count", "i4"), ("tasks", "i8")], align=True)


class NotCompiledError(Exception):
    """There is no kernel for this: NumPy does it."""


@dataclass(eq=False)
class Root:
    """An array that a program knows, with all its views.

    While a program is made, `memory` stands for it: views of it tell where they lie. Its numbers
    mean nothing, and are NaN, so that no constant can come from them unseen.
    """

    memory: np.ndarray
    kind: str  # value, fresh, input, tensor, foreign, bound, kept or constant: see `writer`
    slot: int
    order: tuple[int, ...] = ()  # in which the dimensions of a recorded array lie
    version: int = 0  # how often it has been written
    first_stage: int = 0
    last_stage: int = 0

    @property
    def address(self) -> int:
        """Where the memory starts."""
        return NUMPY.address(self.memory)


class Place(NamedTuple):
    """A part of a root, with a stride, in elements, for each dimension of an instruction."""

    root: Root
    type: str
    offset: int
    strides: tuple[int, ...]

    def rows(self, split: int, unit: int, extent: int, shape: Sequence[int]) -> object:
        """Return what tells whether two places have the same rows; None if a row is not one.

        Row r of `extent` must lie in the r-th of equal pieces of the memory, or of each of several
        blocks of such pieces.
        """
        step = self.strides[split] * unit
        if step <= 0:
            return None
        inside = 0
        for i, (stride, n) in enumerate(zip(self.strides, shape, strict=True)):
            n = unit if i == split else n
            if 0 <= stride < step:
                inside += stride * (n - 1)
            elif n > 1 and (stride < 0 or stride % (step * extent)):
                return None
        if self.offset % step + inside >= step or self.offset // step % extent:
            return None
        return self.root, step, extent

    def extent(self, shape: Sequence[int]) -> tuple[int, int, int]:
        """Return (0, start, end): it touches some of the elements from start to end - 1."""
        if self.type in ("PACKED", "SETTINGS") or any(s < 0 for s in self.strides):
            return 0, 0, self.root.memory.size
        reach = sum(s * (n - 1) for s, n in zip(self.strides, shape, strict=True))
        return 0, self.offset, self.offset + reach + 1

    def span(self, shape: Sequence[int]) -> tuple[int, int, int]:
        """Return (period, start, end): it touches start to end - 1 of each piece of `period`.

        The pieces are those of the outermost dimension, such as networks, if it has such.
        """
        _, start, end = self.extent(shape)
        period, n = max((s, n) for s, n in zip(self.strides, shape, strict=True))
        inside = end - start - period * (n - 1)
        if period <= 0 or n == 1 or start % period + inside > period:
            return 0, start, end
        return period, start % period, start % period + inside

    def is_apart(self, shape: Sequence[int], other: Place, other_shape: Sequence[int]) -> bool:
        """Whether the two have no element in common, as far as can be told simply."""
        for spans in (Place.span, Place.extent):
            first, second = spans(self, shape), spans(other, other_shape)
            if first[0] == second[0] and (first[2] <= second[1] or second[2] <= first[1]):
                return True
        return False


@dataclass(eq=False)
class Instruction:
    """A loop nest; the last of `places` is written, or those that `writes` says."""

    op: str
    code: str
    shape: tuple[int, ...]  # of the loops, four of them
    places: list[Place]
    inputs: int
    split: int = 3
    unit: int = 1  # elements of the dimension `split` in a unit
    extent: int = 1  # units
    group: object = "single"  # instructions of one group may share a task: see `schedule`
    writes: list[int] = field(default_factory=lambda: [-1])
    work: int = 0  # multiplications, or so
    scratch: int = 0  # bytes for each unit
    fixed_scratch: int = 0
    stage: int = 0

    def row(self, number: int) -> object:
        """Return the rows of a place, if the instruction is split by rows."""
        if not (isinstance(self.group, tuple) and self.group[0] == "rows"):
            return None
        return self.places[number].rows(self.split, self.unit, self.extent, self.shape)

    def written(self) -> list[Place]:
        """Return the places that it changes."""
        return [self.places[number] for number in self.writes]

    def check(self) -> None:
        """Raise unless all that it touches lies in its arrays, and no operand across a result."""
        for result in self.written():
            for place in self.places:
                if place.root is result.root and place != result:
                    if not place.is_apart(self.shape, result, self.shape):
                        raise NotCompiledError("an operand that lies across the result")
        for place in self.places:
            size = SIZES[place.type]
            reach = [s * (n - 1) for s, n in zip(place.strides, self.shape, strict=True)]
            first = place.offset + sum(min(r, 0) for r in reach)
            last = place.offset + sum(max(r, 0) for r in reach)
            if not 0 <= first <= last < place.root.memory.nbytes // size:
                raise AssertionError(f"{self.op} {self.code} reaches out of an array")

    def encode(self, record: np.void) -> None:
        """Fill in a record of `INSTRUCTION`."""
        record["op"], record["code"] = NUMBERS[self.op], NUMBERS[self.code] if self.code else 0
        record["split"], record["inputs"], record["unit"] = self.split, self.inputs, self.unit
        record["shape"] = self.shape
        for target, place in zip(record["operand"], self.places, strict=False):
            target["slot"], target["offset"] = place.root.slot, place.offset
            target["type"] = NUMBERS.get(place.type, 0)
            target["stride"] = place.strides


def collapsed(
    shape: Sequence[int], strides: Sequence[Sequence[int]], keep: int | None, most: int
) -> tuple[list[int], list[list[int]], int | None, int]:
    """Join dimensions that lie side by side in all operands, and drop those of one element.

    `keep`: a dimension that is only joined with later ones. Returns shape, strides, where `keep`
    went, and how many elements one of its steps covers. NotCompiledError for over `most`.
    """
    dims: list[list[int]] = []  # [size, elements of a step of `keep` or 0, *strides]
    for i, n in enumerate(shape):
        own = [s[i] for s in strides]
        if n == 1 and i != keep:
            continue
        if dims and i != keep and dims[-1][2:] == [s * n for s in own]:
            dims[-1] = [dims[-1][0] * n, dims[-1][1] * n, *own]
        else:
            dims.append([n, int(i == keep), *own])
    if len(dims) > most:
        raise NotCompiledError(f"{len(dims)} dimensions")
    kept = next((i for i, dim in enumerate(dims) if dim[1]), None)
    joined = [[dim[2 + i] for dim in dims] for i in range(len(strides))]
    return [dim[0] for dim in dims], joined, kept, 1 if kept is None else dims[kept][1]


def padded(values: Sequence[int], fill: int, length: int) -> tuple[int, ...]:
    """Put `fill` in front, up to `length` values."""
    return (fill,) * (length - len(values)) + tuple(values)


def size(shape: Sequence[int]) -> int:
    """Return the number of elements."""
    return math.prod(shape)
