"""What the stand-in counts: launches, allocations, copies, and the moments the host waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class Synchronized(AssertionError):
    """The host waited for the device where it must not."""


@dataclass
class Counts:
    """What has happened on all devices since the last reset."""

    kernels: list[str] = field(default_factory=list)  # their names, in order
    gemms: int = 0
    memsets: int = 0
    device_copies: int = 0  # within a device or between two, without a kernel
    allocations: int = 0
    to_device: int = 0
    to_host: int = 0
    synchronizations: list[str] = field(default_factory=list)  # what made the host wait

    @property
    def launches(self) -> int:
        """Kernels and matrix products together."""
        return len(self.kernels) + self.gemms


class Recorder:
    """Adds to every count that is being taken, and refuses to wait where that is forbidden."""

    def __init__(self) -> None:
        self._taking: list[Counts] = []
        self._forbidden = 0

    def kernel(self, name: str, times: int = 1) -> None:
        """Some kernels have been launched."""
        for counts in self._taking:
            counts.kernels += [name] * times

    def add(self, name: str) -> None:
        """Add one to the count of that name."""
        for counts in self._taking:
            setattr(counts, name, getattr(counts, name) + 1)

    def synchronization(self, cause: str) -> None:
        """The host waits for the device; Synchronized where it must not."""
        for counts in self._taking:
            counts.synchronizations.append(cause)
        if self._forbidden:
            raise Synchronized(f"{cause} makes the host wait for the device")

    @contextmanager
    def counting(self) -> Iterator[Counts]:
        """Count what happens inside."""
        counts = Counts()
        self._taking.append(counts)
        try:
            yield counts
        finally:
            self._taking = [c for c in self._taking if c is not counts]

    @contextmanager
    def without_synchronization(self) -> Iterator[None]:
        """Fail at the very line that makes the host wait."""
        self._forbidden += 1
        try:
            yield
        finally:
            self._forbidden -= 1


recorder = Recorder()
counting = recorder.counting
without_synchronization = recorder.without_synchronization
