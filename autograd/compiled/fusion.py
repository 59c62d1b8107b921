"""Joins instructions where one does what a second, of which nobody else sees the numbers, prepares.

A rectifier behind a product with a bias, or behind a norm of rows, becomes the end of these. Its
gradient becomes one instruction, or the end of the product before it. What is only copied, such as
a gradient to its place among all of an optimizer's, is made where the copy would be.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence

from autograd.compiled.instructions import LASTING, Instruction, Place, Root, size

Segments = Sequence[list[Instruction]]
RECTIFIED = {
    ("PRODUCT", "BIAS"): "BIAS_RELU",
    ("DOTS", "BIAS"): "BIAS_RELU",
    ("ROW_NORM", "AS_IT_IS"): "AS_IT_IS_RELU",
    ("ROW_NORM", "CENTRED"): "CENTRED_RELU",
}
ANYWHERE = ("ELEMENTWISE", "REDUCE", "PRODUCT", "STRIPS", "DOTS")  # they write with any strides


def fuse(segments: Segments, needed: Collection[Root]) -> None:
    """Join what can be, in place; `needed`: what is looked at outside the instructions."""
    for rule in (_masks, _ends, _copies):
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

    def join(self, maker: Instruction, user: Instruction, joined: Instruction) -> None:
        """Take note that one instruction stands for two, at the place of the first."""
        self.position[id(joined)] = self.position[id(maker)]
        touched = {place.root for place in joined.places}
        for root in {place.root for place in (*maker.places, *user.places)}:
            rest = [each for each in self.touching[root] if each not in (maker, user)]
            self.touching[root] = [*rest, joined] if root in touched else rest

    def is_free_at(self, place: Place, moment: Instruction, user: Instruction) -> bool:
        """Whether nobody needs what lies at a place that `user` writes, from a moment before it."""
        return all(
            other.is_apart(instruction.shape, place, user.shape)
            for instruction in self._between(place.root, moment, user)
            for other in instruction.places
            if other.root is place.root
        )

    def is_the_same_at(self, place: Place, moment: Instruction, user: Instruction) -> bool:
        """Whether what `user` reads at a place is there at another moment before it."""
        return not any(
            written.root is place.root
            for instruction in self._between(place.root, moment, user)
            for written in instruction.written()
        )

    def _between(self, root: Root, moment: Instruction, user: Instruction) -> list[Instruction]:
        """Return what touches a root from a moment on until `user`."""
        first, end = self.position[id(moment)], self.position[id(user)]
        return [i for i in self.touching[root] if first <= self.position.get(id(i), -1) < end]


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


def _copies(segment: list[Instruction], uses: _Uses) -> None:
    """What is made to be copied is made where the copy would be."""
    for i, user in enumerate(segment):
        if user.code != "COPY" or {place.type for place in user.places} != {"FLOAT"}:
            continue
        source, result = user.places
        maker = uses.maker(source, user)
        if maker is None or maker.op not in ANYWHERE or not uses.is_free_at(result, maker, user):
            continue
        between = segment[uses.position[id(maker)] : i]
        if result.root.kind in LASTING and any(each.op == "CHECK" for each in between):
            continue  # what outlives the program is changed only after the checks before it
        out = maker.places[-1]
        is_whole = source.root.memory.size == size(user.shape) == _elements(maker.shape, out)
        if not is_whole or source.offset or out.offset or out.type != "FLOAT":
            continue
        if (strides := _through(maker.shape, out.strides, user)) is not None:
            places = [*maker.places[:-1], result._replace(strides=strides)]
            joined = dataclasses.replace(maker, places=places)
            segment[uses.position[id(maker)]], segment[i] = joined, _nothing(user)
            uses.join(maker, user, joined)  # whose result may be copied, too
    _drop_nothing(segment)


def _through(
    shape: Sequence[int], strides: Sequence[int], copy: Instruction
) -> tuple[int, ...] | None:
    """Return the strides of a place behind a copy of it; None if there are none."""
    source, result = (place.strides for place in copy.places)
    found, reach = [], [0] * len(source)
    for n, stride in zip(shape, strides, strict=True):
        if n == 1 or stride == 0:
            found.append(0)
            continue
        # The dimension of the copy that this one is a part of, with all of its steps.
        steps = [(s, d) for d, s in enumerate(source) if copy.shape[d] > 1 and 0 < s <= stride]
        step, d = max(steps, default=(0, 0))
        if step == 0 or stride % step:
            return None
        reach[d] += stride // step * (n - 1)
        found.append(stride // step * result[d])
    return None if any(r >= n for r, n in zip(reach, copy.shape, strict=True)) else tuple(found)


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
    elements = _elements(maker.shape, out)
    is_whole = out.root is made.root and out.root.memory.size == size(user.shape) == elements
    starts = made.offset == out.offset == 0
    return is_whole and starts and all(place.strides == made.strides for place in others)


def _elements(shape: Sequence[int], place: Place) -> int:
    return size([n for n, stride in zip(shape, place.strides, strict=True) if stride])


def _is_zero(place: Place) -> bool:
    memory = place.root.memory
    return place.root.kind == "constant" and memory.size == 1 and memory.reshape(-1)[0] == 0


def _nothing(instruction: Instruction) -> Instruction:
    return dataclasses.replace(instruction, op="")


def _drop_nothing(segment: list[Instruction]) -> None:
    segment[:] = [instruction for instruction in segment if instruction.op]
