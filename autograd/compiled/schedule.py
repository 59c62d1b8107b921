"""When instructions run, and where their arrays lie.

Instructions are put into stages, each into the first in which it may run. Inside a stage the order
is free but for instructions of one group, which run one after the other on the same part: those
that are split by the same rows, where each needs only the rows that its own part has made, and the
small ones, which one thread runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from autograd.compiled.instructions import GROUP, INSTRUCTION, LASTING, STAGE, Instruction, Root

ALIGNED = 64  # bytes
WORK_OF_A_PART = 2**19  # multiplications; a part of less costs more than it brings
ALL = 2**40  # as the extent of a group that is not cut: more than any
ROWS = 32  # of a part at least


def conflict(before: Instruction, after: Instruction) -> str:
    """Return whether the second must wait: "" no, "group" for its turn in a group, else "stage"."""
    found = ""
    for i, place in enumerate(before.places):
        for j, other in enumerate(after.places):
            if place.root is not other.root:
                continue
            if place not in before.written() and other not in after.written():
                continue
            if place.is_apart(before.shape, other, after.shape):
                continue
            if before.group != after.group:
                return "stage"
            rows = before.row(i)
            if before.group != "single" and (rows is None or rows != after.row(j)):
                return "stage"
            found = "group"
    return found


def assign_stages(instructions: Sequence[Instruction], first: int) -> int:
    """Give each instruction the first stage, from `first` on, in which it may run.

    What outlives the program is changed only after the checks before it. Returns the number after
    the last.
    """
    touched: dict[Root, list[Instruction]] = {}
    checked = first
    for instruction in instructions:
        is_lasting = any(p.root.kind in LASTING for p in instruction.written())
        instruction.stage = checked if is_lasting else first
        roots = {place.root for place in instruction.places}
        for before in {id(b): b for root in roots for b in touched.get(root, ())}.values():
            wait = conflict(before, instruction)
            stage = before.stage + (wait == "stage")
            if wait and stage > instruction.stage:
                instruction.stage = stage
        if instruction.op == "CHECK":  # not before an earlier one: the first that fails is told
            instruction.stage = max(instruction.stage, checked - 1)
            checked = instruction.stage + 1
        for root in roots:
            touched.setdefault(root, []).append(instruction)
    return max((i.stage + 1 for i in instructions), default=first)


def encode(
    instructions: Iterable[Instruction], stages: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return the records of instructions, groups and stages, and the bytes of scratch needed."""
    ordered: list[Instruction] = []
    groups: list[tuple[int, int, int, int]] = []
    records: list[tuple[int, int, int]] = []
    scratch = 0
    by_stage: list[dict[object, list[Instruction]]] = [{} for _ in range(stages)]
    for instruction in instructions:
        by_stage[instruction.stage].setdefault(instruction.group, []).append(instruction)
    for named in by_stage:
        start, tasks = len(groups), 0
        # The longest first, so that no thread waits for one that was begun last.
        for group, members in sorted(named.items(), key=lambda g: -sum(i.work for i in g[1])):
            extent = members[0].extent if group != "single" else ALL
            parts = _parts(group, members, extent)
            groups.append((len(ordered), len(members), extent, parts))
            ordered += members
            tasks += parts
            units = -(-extent // parts)
            scratch = max(
                scratch,
                *(i.fixed_scratch + (units * i.scratch if i.scratch else 0) for i in members),
            )
        records.append((start, len(groups) - start, tasks))
    encoded = np.zeros(len(ordered), INSTRUCTION)
    for record, instruction in zip(encoded, ordered, strict=True):
        instruction.encode(record)
    return encoded, np.array(groups, GROUP), np.array(records, STAGE), scratch


def _parts(group: object, members: Sequence[Instruction], extent: int) -> int:
    if group == "single":
        return 1
    work = sum(i.work for i in members)
    wanted = -(-work // WORK_OF_A_PART)
    if isinstance(group, tuple):
        wanted = min(wanted, -(-extent // ROWS))
    return max(1, min(extent, wanted))


def lay_out(roots: Iterable[Root]) -> tuple[dict[Root, int], int]:
    """Return an offset, in bytes, for each root in one array, and the size of that array.

    Memory serves again from the stage after the last that uses it.
    """
    offsets: dict[Root, int] = {}
    free: list[tuple[int, int]] = []  # offset, size
    busy: list[tuple[int, int, int]] = []  # last stage, offset, size
    end = 0
    for root in sorted(roots, key=lambda r: r.first_stage):
        size = -(-root.memory.nbytes // ALIGNED) * ALIGNED
        gone = [b for b in busy if b[0] < root.first_stage]
        busy = [b for b in busy if b[0] >= root.first_stage]
        free = _joined(free + [(offset, n) for _, offset, n in gone])
        fitting = min((f for f in free if f[1] >= size), key=lambda f: f[1], default=None)
        if fitting is None:
            offset, end = end, end + size
        else:
            free.remove(fitting)
            offset = fitting[0]
            if fitting[1] > size:
                free.append((offset + size, fitting[1] - size))
        offsets[root] = offset
        busy.append((root.last_stage, offset, size))
    return offsets, end


def _joined(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for offset, size in sorted(pieces):
        if joined and sum(joined[-1]) == offset:
            joined[-1] = (joined[-1][0], joined[-1][1] + size)
        else:
            joined.append((offset, size))
    return joined
