"""Measure things in turns, and sum up what came out."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

# Threads of a BLAS go on spinning for some 20 ms after their last product, and would take time from
# whoever comes next.
PAUSE_SECONDS = 0.05
WARM_UP_CALLS = 5

Measure = Callable[[int], float]  # from a number of calls to the seconds that all take together


@dataclass(frozen=True)
class Sample:
    """Repeated measurements of one quantity."""

    values: list[float]

    @property
    def median(self) -> float:
        """The value in the middle."""
        return statistics.median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        """A quarter of the values lies below the first, a quarter above the second."""
        if len(self.values) == 1:
            return self.values[0], self.values[0]
        first, _, third = statistics.quantiles(self.values, n=4, method="inclusive")
        return first, third


@dataclass(frozen=True)
class Row:
    """One quantity of ours, beside a peer's where there is one; `unit` is ms, MB or another."""

    work: str
    unit: str
    ours: Sample
    peer: str | None = None
    theirs: Sample | None = None

    @property
    def ratio_to_peer(self) -> float | None:
        """Our median as a multiple of the peer's."""
        if self.theirs is None or self.theirs.median == 0:
            return None
        return self.ours.median / self.theirs.median

    def to_json(self) -> dict[str, Any]:
        """Return the row for --json; medians that are no times go under names of their own."""
        ours = self.ours.median
        theirs = None if self.theirs is None else self.theirs.median
        is_time = self.unit == "ms"
        document = {
            "work": self.work,
            "peer": self.peer,
            "ours_ms": ours if is_time else None,
            "peer_ms": theirs if is_time else None,
            "ratio_to_peer": self.ratio_to_peer,
        }
        if not is_time:
            document |= {"unit": self.unit, "ours": ours, "peers": theirs}
        return document


def calibrate(measure: Measure, block_seconds: float) -> int:
    """Return how many calls fill a block, after calls that warm up caches and compilers."""
    measure(WARM_UP_CALLS)
    calls = 1
    while (seconds := measure(calls)) < block_seconds / 4:
        calls *= 4
    return max(1, round(calls * block_seconds / seconds))


def alternate(
    sides: Mapping[str, Measure],
    repetitions: int,
    calls: Mapping[str, int],
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Sample]:
    """Measure every side `repetitions` times, in turns; a Sample of milliseconds a call for each.

    Each round starts with another side, so that none has always the same one before it.
    """
    names = list(sides)
    values: dict[str, list[float]] = {name: [] for name in names}
    for repetition in range(repetitions):
        first = repetition % len(names)
        for name in islice(names * 2, first, first + len(names)):
            sleep(PAUSE_SECONDS)
            values[name].append(sides[name](calls[name]) / calls[name] * 1e3)
    return {name: Sample(sample) for name, sample in values.items()}


def compare(
    sides: Mapping[str, Measure], repetitions: int, block_seconds: float
) -> dict[str, Sample]:
    """Return a Sample of milliseconds a call for each side, measured in alternating blocks."""
    calls = {name: calibrate(measure, block_seconds) for name, measure in sides.items()}
    return alternate(sides, repetitions, calls)


def rows_against(
    work: str, samples: Mapping[str, Sample], ours: str = "ours", unit: str = "ms"
) -> list[Row]:
    """Return a row against each other side, or one of ours alone where there is no other."""
    peers = [name for name in samples if name != ours]
    if not peers:
        return [Row(work, unit, samples[ours])]
    return [Row(work, unit, samples[ours], peer, samples[peer]) for peer in peers]
