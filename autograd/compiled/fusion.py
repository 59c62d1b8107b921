"""Joins instructions where one does what a second, of which nobody else sees the numbers, prepares.

A rectifier behind a product with a bias, or behind a norm of rows, becomes the end of these. Its
gradient becomes one instruction, or the end of the product before it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from autograd.compiled.instructions import Instruction, Place, Root, size

Segments = Sequence[list[Instruction]]
RECTIFIED = {
    ("PRODUCT", "BIAS"): "BIAS_RELU",
    ("DOTS", "BIAS"): "BIAS_RELU",
    ("ROW_NORM", "AS_IT_IS"): "AS_IT_IS_RELU",
    ("ROW_NORM", "CENTRED"): "CENTRED_RELU",
}


def fuse(segments: Segments, needed: Collection[Root]) -> None:
    """Join what can be, in place; `needed`: what is looked at outside the instructions."""
    for rule in (_masks, _ends):
        for segment in segments:
            rule(segment, _Uses(segments, segment, needed))


class _Uses:
    """Who touches which root."""

    def __init__(
        self, segments: Segments, segment: Sequence[Instruction], needed: Collection[Root]
    ) -> None:
        self.needed = needed
        self.touching: dict[Root, list[Instruction]] = {}
        for instruction in (i for one in segments for i in one):
            for root in {place.root for place in instruction.places}:
                self.touching.setdefault(root, []).append(instruction)
        self.position = {id(instruction): i for i, instruction in enumerate(segment)}

    def maker(self, place: Place, user: Instruction) -> Instruction | None:
        """Return what makes the numbers that `user`, and only it, reads at a place; else None."""
        root = place.root
        if root.kind != "value" or root in self.needed or len(self.touching[root]) != 2:
            return None
        maker = next(i for i in self.touching[root] if i is not user)
        is_before = self.position.get(id(maker), len(self.position)) < self.position[id(user)]
        writes = [written.root for written in maker.written()]
        return maker if is_before and root in writes else None

    def is_the_same_at(self, place: Place, moment: Instruction, user: Instruction) -> bool:
        """Whether what `user` reads at a place is there at another moment before it."""
        return not any(
            instruction is not user
            and self.position[id(moment)]
            <= self.position.get(id(instruction), -1)
            < self.position[id(user)]
            and any(written.root is place.root for written in instruction.written())
            for instruction in self.touching[place.root]
        )


def _masks(segment: list[Instruction], uses: _Uses) -> None:
    """`where(y != 0, g, 0)` is MASK of g and y."""
    for i, user in enumerate(segment):
        if user.code != "WHERE" or not _is_zero(user.places[2]):
            continue
        condition, g, _, result = user.places
        maker = uses.maker(condition, user)
        if maker is None or maker.code != "NOT_EQUAL" or maker.shape != user.shape:
            continue
        y, other, truth = maker.places
        if truth == condition and _is_zero(other) and uses.is_the_same_at(y, maker, user):
            segment[i] = dataclasses.replace(user, code="MASK", places=[g, y, result], inputs=2)
            segment[uses.position[id(maker)]] = _nothing(maker)
    _drop_nothing(segment)


def _ends(segment: list[Instruction], uses: _Uses) -> None:
    """A product or a norm ends with the rectifier, or a product with the mask, that follows it."""
    for i, user in enumerate(segment):
        if user.op != "ELEMENTWISE" or user.code not in ("MAXIMUM", "MASK"):
            continue
        maker = uses.maker(user.places[0], user)
        if maker is not None and (ended := _ended(maker, user, uses)) is not None:
            ended.check()
            segment[uses.position[id(maker)]], segment[i] = ended, _nothing(user)
    _drop_nothing(segment)


def _ended(maker: Instruction, user: Instruction, uses: _Uses) -> Instruction | None:
    """Return an instruction that does what both do; None if there is none."""
    first, second, result = user.places
    if user.code == "MAXIMUM" and _is_zero(second):
        code = RECTIFIED.get((maker.op, maker.code))
        others = [result]
    elif maker.op in ("PRODUCT", "DOTS") and maker.code == "PLAIN" and second.type == "FLOAT":
        code = "RELU_MASK" if uses.is_the_same_at(second, maker, user) else None
        others = [second, result]
    else:
        return None
    if code is None or not _have_one_layout(maker, first, user, others):
        return None
    before, (out, *after) = maker.places[: maker.inputs], maker.places[maker.inputs :]
    others = [place._replace(strides=out.strides) for place in others]
    inputs = len(before) + len(others) - 1
    return dataclasses.replace(maker, code=code, places=[*before, *others, *after], inputs=inputs)


def _have_one_layout(
    maker: Instruction, made: Place, user: Instruction, others: Sequence[Place]
) -> bool:
    """Whether an element of a result lies in all others where it lies in that."""
    out = maker.places[maker.inputs]
    elements = size([n for n, stride in zip(maker.shape, out.strides, strict=True) if stride])
    is_whole = out.root is made.root and out.root.memory.size == size(user.shape) == elements
    starts = made.offset == out.offset == 0
    return is_whole and starts and all(place.strides == made.strides for place in others)


def _is_zero(place: Place) -> bool:
    memory = place.root.memory
    return place.root.kind == "constant" and memory.size == 1 and memory.reshape(-1)[0] == 0


def _nothing(instruction: Instruction) -> Instruction:
    return dataclasses.replace(instruction, op="")


def _drop_nothing(segment: list[Instruction]) -> None:
    segment[:] = [instruction for instruction in segment if instruction.op]
