"""Devices, streams and events: the stand-in has two devices, and does everything at once."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.cupy_standin.counts import recorder
from tests.cupy_standin.pinned import transfers

DEVICES = 2
MEMORY = 16 * 2**30


class CUDARuntimeError(RuntimeError):
    """What the CUDA runtime answers with."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class _Current(threading.local):
    def __init__(self) -> None:
        self.device = 0
        self.streams: dict[int, Stream] = {}


_current = _Current()


def current_device() -> int:
    """The number of the device that new arrays lie on and kernels run on."""
    return _current.device


class Device:
    """A device by its number; the current one for None."""

    def __init__(self, device: int | Device | None = None) -> None:
        if device is None:
            self.id = _current.device
        else:
            self.id = device.id if isinstance(device, Device) else int(device)
        self._before: list[int] = []

    def __int__(self) -> int:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<CUDA Device {self.id}>"

    def __enter__(self) -> Device:
        self._before.append(_current.device)
        self.use()
        return self

    def __exit__(self, *args: Any) -> None:
        _current.device = self._before.pop()

    def use(self) -> None:
        """Make it the current device."""
        if not 0 <= self.id < DEVICES:
            raise CUDARuntimeError(101, "cudaErrorInvalidDevice: invalid device ordinal")
        _current.device = self.id

    def synchronize(self) -> None:
        """Wait for all work on it."""
        recorder.synchronization("Device.synchronize")
        transfers.finish()

    @property
    def compute_capability(self) -> str:
        """That of an H100."""
        return "90"

    @property
    def mem_info(self) -> tuple[int, int]:
        """Free and total memory."""
        from tests.cupy_standin.memory import pool

        return MEMORY - pool.total_bytes(), MEMORY


class Stream:
    """A queue of work. `null` and `ptds` are the two that every device has."""

    null: Stream
    ptds: Stream

    def __init__(
        self,
        null: bool = False,
        non_blocking: bool = False,
        ptds: bool = False,
        priority: int | None = None,
    ) -> None:
        self.ptr = 0 if null else 2 if ptds else id(self)
        self.device_id = -1 if null or ptds else _current.device
        self.is_non_blocking = non_blocking
        self.priority = priority or 0
        self._before: list[Stream] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stream) and self.ptr == other.ptr

    def __hash__(self) -> int:
        return hash(self.ptr)

    def __enter__(self) -> Stream:
        self._before.append(get_current_stream())
        self.use()
        return self

    def __exit__(self, *args: Any) -> None:
        self._before.pop().use()

    def use(self) -> Stream:
        """Make it the current stream."""
        _current.streams[_current.device] = self
        return self

    @property
    def done(self) -> bool:
        """Whether all its work has been done."""
        return not transfers.pending(self)

    def record(self, event: Event | None = None) -> Event:
        """Mark this moment of the queue."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def wait_event(self, event: Event) -> None:
        """Let further work wait for the event."""

    def synchronize(self) -> None:
        """Wait for all its work."""
        recorder.synchronization("Stream.synchronize")
        transfers.finish(self)


Stream.null = Stream(null=True)
Stream.ptds = Stream(ptds=True)


def get_current_stream(device_id: int = -1) -> Stream:
    """The stream that work is put into."""
    return _current.streams.get(_current.device if device_id < 0 else device_id, Stream.null)


class Event:
    """A moment in a stream."""

    def __init__(
        self, block: bool = False, disable_timing: bool = False, interprocess: bool = False
    ) -> None:
        self._timing = not disable_timing
        self._time: float | None = None
        self._awaited: list[Any] = []

    def record(self, stream: Stream | None = None) -> None:
        """Mark this moment of a stream, the current one by default."""
        self._time = time.perf_counter()
        self._awaited = transfers.pending(get_current_stream() if stream is None else stream)

    @property
    def done(self) -> bool:
        """Whether the stream has come this far, as it always has: to ask does not wait."""
        transfers.complete(self._awaited)
        return True

    def synchronize(self) -> None:
        """Wait until the stream has come this far."""
        recorder.synchronization("Event.synchronize")
        transfers.complete(self._awaited)


def get_elapsed_time(start_event: Event, end_event: Event) -> float:
    """Milliseconds between two events."""
    if not (start_event._timing and end_event._timing):
        raise CUDARuntimeError(400, "cudaErrorInvalidResourceHandle: invalid resource handle")
    assert start_event._time is not None and end_event._time is not None
    return 1000 * (end_event._time - start_event._time)
