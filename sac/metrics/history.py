"""What a run has logged until now, in memory."""

from array import array
from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from sac.metrics.table import STEP


class Curve(NamedTuple):
    """Numbers (n,) and the steps (n,) that they were logged at."""

    steps: NDArray[np.float64]
    numbers: NDArray[np.float64]


class History:
    """The finite numbers of each tag, in the order in which they were logged."""

    def __init__(self) -> None:
        self._curves: dict[str, tuple[array[float], array[float]]] = {}

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[np.float64]], last_step: float = np.inf) -> Self:
        """Return what the columns of metrics.csv hold up to and including `last_step`."""
        history = cls()
        steps = columns[STEP]
        for tag in columns.keys() - {STEP}:
            kept = np.isfinite(columns[tag]) & (steps <= last_step)
            history._curves[tag] = array("d", steps[kept]), array("d", columns[tag][kept])
        return history

    def add(self, step: int, numbers: Mapping[str, float]) -> None:
        """Add numbers of a step; those that are not finite are left out."""
        for tag, number in numbers.items():
            if np.isfinite(number):
                steps, known = self._curves.setdefault(tag, (array("d"), array("d")))
                steps.append(step)
                known.append(number)

    def __getitem__(self, tag: str) -> Curve:
        """Return a copy of a tag's curve, empty for one that was never logged."""
        return Curve(*map(np.array, self._curves.get(tag, (array("d"), array("d")))))
