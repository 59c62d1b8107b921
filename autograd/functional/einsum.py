"""Einstein summation: products, summed over the labels that the result lacks."""

from __future__ import annotations

from string import ascii_letters
from typing import TYPE_CHECKING, Any

from autograd.engine.apply import apply
from autograd.functional.checks import type_name
from autograd.functional.shape import reshape
from autograd.ops import linear_algebra as ops

if TYPE_CHECKING:
    from autograd.types import Tensor


def einsum(equation: Any, *operands: Any) -> Tensor:
    """`einsum("ij,jk->ik", a, b)`; also `einsum(a, [0, 1], b, [1, 2], [0, 2])`."""
    if not isinstance(equation, str):
        equation, operands = _from_sublists((equation, *operands))
    elif len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    if not operands:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand and its subscripts list"
        )
    inputs, out = _parse(equation)
    if len(inputs) != len(operands):
        which = "fewer" if len(operands) < len(inputs) else "more"
        raise RuntimeError(
            f"einsum(): {which} operands were provided than specified in the equation"
        )
    shapes = [operand._array.shape for operand in operands]
    inputs, dots = _name_ellipsis(inputs, shapes)
    out = _output(inputs, out, dots)
    sizes = _sizes(inputs, shapes)
    tensors, labels = [], []
    for operand, names, shape in zip(operands, inputs, shapes, strict=True):
        # A dimension of size 1 that broadcasts takes no part in the products.
        kept = [i for i, label in enumerate(names) if shape[i] == sizes[label]]
        if len(kept) < len(shape):
            operand = reshape(operand, tuple(shape[i] for i in kept))
        tensors.append(operand)
        labels.append("".join(names[i] for i in kept))
    _check_dtypes(tensors, labels, out)
    if tensors[0]._array.dtype.kind in "iub" and _sums_alone(labels, out):
        tensors = [tensor.long() for tensor in tensors]  # as in every sum of whole numbers
    return apply(ops.einsum, *tensors, subscripts=labels, out=out)


def _from_sublists(arguments: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    operands, lists = arguments[0::2], [_letters(part) for part in arguments[1::2]]
    if len(arguments) % 2 == 0:
        return ",".join(lists), operands
    return ",".join(lists) + "->" + _letters(operands[-1]), operands[:-1]


def _letters(sublist: Any) -> str:
    for n in sublist:
        if n is not ... and not 0 <= n < len(ascii_letters):
            raise ValueError("subscript in subscript list is not within the valid range [0, 52)")
    return "".join("..." if n is ... else ascii_letters[n] for n in sublist)


def _parse(equation: str) -> tuple[list[str], str | None]:
    """The labels of each operand and of the result, with `.` for an ellipsis."""
    left, arrow, right = equation.partition("->")
    inputs, start = [], 0
    for part in left.split(","):
        inputs.append(_labels(part, start))
        start += len(part) + 1
    return inputs, _labels(right, start + 1) if arrow else None


def _labels(text: str, start: int) -> str:
    short = text.replace("...", ".  ")
    for i, label in enumerate(short):
        if not (label.isspace() or label == "." or label in ascii_letters):
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {start + i} in the equation string, "
                "subscripts must be in [a-zA-Z]"
            )
    if short.count(".") > 1 or text.count(".") % 3:
        raise RuntimeError("einsum(): found '.' that is not part of any ellipsis, or two of them")
    return "".join(short.split())


def _name_ellipsis(inputs: list[str], shapes: list[Any]) -> tuple[list[str], str]:
    """Replace each ellipsis by labels; the last dimensions of all operands share theirs."""
    counts = []
    for i, (labels, shape) in enumerate(zip(inputs, shapes, strict=True)):
        given, dots = len(labels.replace(".", "")), "." in labels
        if given > len(shape) or (given < len(shape) and not dots):
            more = "but no" if dots else "and no"
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({given}) "
                + ("is more than" if dots else "does not match")
                + f" the number of dimensions ({len(shape)}) for operand {i} {more} ellipsis was "
                "given"
            )
        counts.append(len(shape) - given)
    free = [label for label in ascii_letters if not any(label in labels for labels in inputs)]
    names = "".join(free[: max(counts)])
    return [
        labels.replace(".", names[len(names) - count :])
        for labels, count in zip(inputs, counts, strict=True)
    ], names


def _output(inputs: list[str], out: str | None, dots: str) -> str:
    everything = "".join(inputs)
    if out is None:
        single = sorted(c for c in set(everything) if everything.count(c) == 1 and c not in dots)
        return dots + "".join(single)
    result = out.replace(".", dots)
    for label in result:
        if label not in everything:
            raise RuntimeError(
                f"einsum(): output subscript {label} does not appear in the equation for any input "
                "operand"
            )
        if result.count(label) > 1:
            raise RuntimeError(
                f"einsum(): output subscript {label} appears more than once in the output"
            )
    return result


def _sizes(inputs: list[str], shapes: list[Any]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for i, (labels, shape) in enumerate(zip(inputs, shapes, strict=True)):
        own: dict[str, int] = {}
        for label, n in zip(labels, shape, strict=True):
            if own.setdefault(label, n) != n:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {i} but the sizes don't "
                    f"match, {n} != {own[label]}"
                )
            known = sizes.get(label, 1)
            if n != known and 1 not in (n, known):
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {n} for operand {i} which does not "
                    f"broadcast with previously seen size {known}"
                )
            sizes[label] = known if n == 1 else n
    return sizes


def _sums_alone(labels: list[str], out: str) -> bool:
    """Whether a label is summed over within a single operand."""
    everything = out + "".join("".join(set(names)) for names in labels)
    return any(everything.count(label) == 1 for label in everything if label not in out)


def _check_dtypes(tensors: list[Any], labels: list[str], out: str) -> None:
    """Raise if a matrix product mixes dtypes; products without a sum promote."""
    first = tensors[0]._array
    summed = any(label not in out for names in labels for label in names)
    for array in [tensor._array for tensor in tensors[1:]]:
        if array.dtype != first.dtype and summed:
            raise RuntimeError(
                f"expected scalar type {type_name(first)} but found {type_name(array)}: all "
                "operands must have the same dtype"
            )
