"""Arrays end to end in one piece of memory, so that one call does what else takes many.

A network's parameters are few large and many small arrays: one by one, the small ones cost as many
calls as the large.
"""

from __future__ import annotations

import math
import weakref
from collections import deque
from collections.abc import Sequence
from operator import is_
from sys import getrefcount
from typing import Any

from autograd.backend import Array, backend_of

Shape = tuple[int, ...]
SPARE_GRADIENTS = 2  # kept of each network: one may be in a `.grad` while the next is computed


def views_of(flat: Array, shapes: Sequence[Shape]) -> list[Array]:
    """Parts of a flat array, one after another, in these shapes."""
    views, start = [], 0
    for shape in shapes:
        end = start + math.prod(shape)
        views.append(flat[start:end].reshape(shape))
        start = end
    return views


class EndToEnd:
    """The elements of some arrays as one flat array.

    Where the arrays lie end to end in memory it is that memory itself; else it is a copy.
    """

    def __init__(self) -> None:
        """Know no arrays yet."""
        self._known: list[weakref.ref[Array]] = []  # weak: this must not keep gradients alive
        self._start: int | None = None  # in the array that they are parts of, if they lie so
        self._size = 0
        self._views: list[Array] = []  # parts of the copy, in the shapes of the arrays

    def load(self, arrays: Sequence[Array]) -> Array:
        """The flat array with the elements that they have now."""
        known = [reference() for reference in self._known]
        if len(arrays) != len(known) or not all(map(is_, known, arrays)):
            self._look_at(arrays)
        if self._start is not None:
            base = arrays[0].base
            return base if base.size == self._size else base[self._start :][: self._size]
        for view, array in zip(self._views, arrays, strict=True):
            view[...] = array
        return self._views[0].base

    def store(self, arrays: Sequence[Array]) -> None:
        """Copy the elements of the flat array back, where it is a copy."""
        if self._start is None:
            for array, view in zip(arrays, self._views, strict=True):
                array[...] = view

    def _look_at(self, arrays: Sequence[Array]) -> None:
        self._known = [weakref.ref(array) for array in arrays]
        self._size = sum(array.size for array in arrays)
        self._start = _start(arrays)
        if self._start is not None:
            self._views = []
        elif [v.shape for v in self._views] != [a.shape for a in arrays]:
            first = arrays[0]
            flat = backend_of(first).empty(self._size, first.dtype)
            self._views = views_of(flat, [array.shape for array in arrays])


def _start(arrays: Sequence[Array]) -> int | None:
    """The element of their common base where the first begins; None unless all lie end to end."""
    base, xp = arrays[0].base, backend_of(arrays[0])
    if base is None or base.ndim != 1 or not xp.is_contiguous(base):
        return None
    first = address = xp.address(arrays[0])
    for array in arrays:
        if (
            array.base is not base
            or array.dtype != base.dtype
            or not xp.is_contiguous(array)
            or xp.address(array) != address
        ):
            return None
        address += array.nbytes
    return (first - xp.address(base)) // base.itemsize


class Block:
    """Memory for the arrays of equal networks, one network after another."""

    def __init__(self, xp: Any, networks: int, shapes: Sequence[Shape], dtype: Any) -> None:
        """`shapes`: of the arrays of one network."""
        size = sum(map(math.prod, shapes))
        self.flat = xp.empty(networks * size, dtype)
        self.views = views_of(self.flat, [*shapes] * networks)  # network by network
        # Each array of all networks together, one dimension more: (networks, ...), and a row of
        # biases as (networks, 1, n), so that it meets a batch.
        ends = [sum(map(math.prod, shapes[: i + 1])) for i in range(len(shapes))]
        self.stacks = [
            self.flat.reshape(networks, size)[:, end - math.prod(shape) : end].reshape(
                (networks, *((1,) if len(shape) == 1 else ()), *shape)
            )
            for shape, end in zip(shapes, ends, strict=True)
        ]
        self._arrays = [self.flat, *self.views]
        self._idle = list(map(getrefcount, self._arrays))

    @property
    def is_idle(self) -> bool:
        """Whether nobody else holds an array of it or a view of one."""
        return list(map(getrefcount, self._arrays)) == self._idle


class FlatParameters:
    """The parameters of equal networks, moved end to end into one array.

    As everybody may give a parameter other memory (`.data = ...`, `module.to(...)`), whoever wants
    to use the array as a whole asks first whether it `holds` the parameters still.
    """

    def __init__(self, networks: Sequence[Sequence[Any]]) -> None:
        """`networks`: the tensors of each, of the same shapes and dtype in all of them."""
        self.networks = [list(network) for network in networks]
        self.parameters = [p for network in self.networks for p in network]
        first = self.parameters[0]._array
        self._shapes = [p._array.shape for p in self.networks[0]]
        self._block = self._new_block(backend_of(first), first.dtype)
        for parameter, view in zip(self.parameters, self._block.views, strict=True):
            view[...] = parameter._array
            parameter._array = view
        self._spare: deque[Block] = deque(maxlen=SPARE_GRADIENTS)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copied and pickled by its parameters: those of the copy are moved anew."""
        return FlatParameters, (self.networks,)

    def holds(self, arrays: Sequence[Array]) -> bool:
        """Whether these are the arrays of all parameters as they were moved."""
        return len(arrays) == len(self.parameters) and all(map(is_, arrays, self._block.views))

    @property
    def flat(self) -> Array | None:
        """All elements as one array; None once a parameter has other memory."""
        return self._block.flat if self.holds([p._array for p in self.parameters]) else None

    @property
    def stacks(self) -> list[Array]:
        """Each parameter of all networks as one array (networks, ...)."""
        return self._block.stacks

    def take_gradients(self) -> Block:
        """Memory for the gradients of all parameters, which nobody else uses."""
        for _ in range(len(self._spare)):
            block = self._spare.popleft()  # so that no other thread finds it
            if block.is_idle:
                return block
            self._spare.append(block)
        flat = self._block.flat
        return self._new_block(backend_of(flat), flat.dtype)

    def give_gradients(self, block: Block) -> None:
        """Let the memory be used again, once nobody holds an array of it any more."""
        self._spare.append(block)

    def _new_block(self, xp: Any, dtype: Any) -> Block:
        return Block(xp, len(self.networks), self._shapes, dtype)
