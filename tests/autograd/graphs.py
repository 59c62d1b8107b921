"""What a recorded graph holds, for the tests of what is saved."""

from typing import Any

import numpy as np

from autograd.engine.node import LEAF, Node


def nodes(*tensors: Any) -> set[Node]:
    """The nodes from which the tensors were made."""
    stack = [t.grad_fn for t in tensors if t.grad_fn is not None]
    found = set(stack)
    while stack:
        for target, number in stack.pop().edges:
            if number != LEAF and target not in found:
                found.add(target)
                stack.append(target)
    return found


def saved_bytes(*tensors: Any, besides: tuple[Any, ...] = ()) -> int:
    """The memory of the arrays that those nodes keep, without that of the tensors `besides`."""
    known = {_memory(t._array) for t in besides}
    owners = {}
    for node in nodes(*tensors):
        for array in _arrays(node.saved):
            owners[_memory(array)] = array.nbytes if array.base is None else array.base.nbytes
    return sum(size for owner, size in owners.items() if owner not in known)


def _arrays(saved: Any) -> list[np.ndarray]:
    if isinstance(saved, np.ndarray):
        return [saved]
    if isinstance(saved, tuple):
        return [array for part in saved for array in _arrays(part)]
    return []


def _memory(array: np.ndarray) -> int:
    return id(array if array.base is None else array.base)
