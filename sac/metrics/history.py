"""What a run has logged until now, in memory."""

import math
from array import array
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sac.metrics.table import STEP


class Curve(NamedTuple):
    """Numbers (n,) and the steps (n,) that they were logged at."""

    steps: NDArray[np.float64]
    numbers: NDArray[np.float64]


class History:
    """The finite numbers of each column of metrics.csv, in the order in which they were logged."""

    def __init__(
        self, columns: Mapping[str, NDArray[np.float64]], last_step: float = math.inf
    ) -> None:
        """Begin with what columns hold up to and including `last_step`."""
        self._curves: dict[str, tuple[array[float], array[float]]] = {}
        steps = columns[STEP]
        for tag in columns.keys() - {STEP}:
            kept = np.isfinite(columns[tag]) & (steps <= last_step)
            self._curves[tag] = array("d", steps[kept]), array("d", columns[tag][kept])

    def add(self, step: int, numbers: Mapping[str, float]) -> None:
        """Add the finite numbers of a step whose tags are columns, which a user's own are not."""
        for tag, number in numbers.items():
            if tag in self._curves and math.isfinite(number):
                steps, known = self._curves[tag]
                steps.append(step)
                known.append(number)

    def __getitem__(self, tag: str) -> Curve:
        """Return a copy of a tag's curve, empty where there is none."""
        return Curve(*map(np.array, self._curves.get(tag, (array("d"), array("d")))))
