"""Where the weights and biases of equal networks lie in the one array of their parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from autograd.backend.kernels.contract import Array


class StackLayout:
    """The layout of an array (networks, size): a row holds weight and bias of each layer in turn.

    The parts of a single network are weights (out, in) and biases (out,). Those of several
    networks are (networks, out, in) and (networks, 1, out), so that a bias meets a batch.
    """

    def __init__(self, sizes: Sequence[int], networks: int) -> None:
        """`sizes`: inputs, units of each hidden layer, outputs."""
        self.sizes = tuple(sizes)
        self.networks = networks
        self.shapes: list[tuple[int, ...]] = []  # of one network's weights and biases
        for fan_in, fan_out in pairwise(self.sizes):
            self.shapes += [(fan_out, fan_in), (fan_out,)]
        ends = [sum(map(math.prod, self.shapes[: i + 1])) for i in range(len(self.shapes))]
        self.slices = [slice(a, b) for a, b in zip([0, *ends], ends, strict=False)]
        self.size = ends[-1]
        self._part_shapes = self.shapes
        if networks > 1:
            self._part_shapes = [
                (networks, *((1,) if len(shape) == 1 else ()), *shape) for shape in self.shapes
            ]
        # The parts of the latest array. An optimizer changes parameters in place, so it is nearly
        # always the same array, and slicing it takes as long as a small layer.
        self._latest: tuple[Array, list[Array]] = None, []

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy belongs to other parameters."""
        return StackLayout, (self.sizes, self.networks)

    @property
    def layers(self) -> int:
        """How many layers a network has, the output layer included."""
        return len(self.shapes) // 2

    def parts(self, array: Array) -> list[Array]:
        """The weights and biases in an array of parameters, as views."""
        known, parts = self._latest
        if known is not array:
            parts = self.views(array)
            self._latest = array, parts
        return parts

    def views(self, array: Array) -> list[Array]:
        """Do what `parts` does, for an array that is used only once."""
        return [
            array[:, place].reshape(shape)
            for place, shape in zip(self.slices, self._part_shapes, strict=True)
        ]
