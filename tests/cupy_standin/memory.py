"""Memory of the devices: what is in use, and raw copies to and from it."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from tests.cupy_standin.counts import recorder
from tests.cupy_standin.devices import Device, Stream, current_device, get_current_stream
from tests.cupy_standin.pinned import pinned_bytes, transfers

UNIT = 512  # bytes: what the pool rounds up to


class MemoryPool:
    """Counts what the arrays hold; memory that was freed stays with it, as in CuPy."""

    def __init__(self, allocator: Any = None) -> None:
        self._used: dict[int, int] = {}
        self._total: dict[int, int] = {}

    def _take(self, device: int, size: int) -> None:
        self._used[device] = self._used.get(device, 0) + size
        self._total[device] = max(self._total.get(device, 0), self._used[device])

    def _give(self, device: int, size: int) -> None:
        self._used[device] -= size

    def used_bytes(self) -> int:
        """Bytes that arrays on the current device hold."""
        return self._used.get(current_device(), 0)

    def total_bytes(self) -> int:
        """Bytes that the pool holds on the current device."""
        return self._total.get(current_device(), 0)

    def free_bytes(self) -> int:
        """Bytes that wait to be used again."""
        return self.total_bytes() - self.used_bytes()

    def free_all_blocks(self, stream: Any = None) -> None:
        """Give back what waits to be used again."""
        self._total[current_device()] = self.used_bytes()

    def n_free_blocks(self) -> int:
        """How many blocks wait: the stand-in keeps one."""
        return int(self.free_bytes() > 0)


class PinnedMemoryPool:
    """The pool of pinned memory, of which nothing is counted."""

    def free_all_blocks(self) -> None:
        """Give back what waits to be used again."""

    def n_free_blocks(self) -> int:
        """How many blocks wait."""
        return 0


pool = MemoryPool()
pinned_pool = PinnedMemoryPool()


class Memory:
    """Some bytes of a device; `host` is the NumPy array that holds them for the stand-in."""

    def __init__(self, host: np.ndarray) -> None:
        self.host = host
        self.device_id = current_device()
        self.size = -(-host.nbytes // UNIT) * UNIT
        recorder.add("allocations")
        pool._take(self.device_id, self.size)

    def __del__(self) -> None:
        pool._give(self.device_id, self.size)


class MemoryPointer:
    """Where an array's elements begin."""

    def __init__(self, mem: Memory, host: np.ndarray) -> None:
        self.mem = mem
        self._host = host
        self.ptr = host.__array_interface__["data"][0]
        self.device_id = mem.device_id

    @property
    def device(self) -> Device:
        """The device that it lies on."""
        return Device(self.device_id)

    def copy_from_host(self, mem: Any, size: int) -> None:
        """Copy from memory of the host, and wait for it."""
        recorder.synchronization("copy_from_host")
        recorder.add("to_device")
        ctypes.memmove(self.ptr, _address(mem), size)

    def copy_from_host_async(self, mem: Any, size: int, stream: Stream | None = None) -> None:
        """Copy from pinned memory of the host, without waiting."""
        source = pinned_bytes(_address(mem), size)
        if source is None:
            raise AssertionError("only a copy from pinned memory runs by itself")
        recorder.add("to_device")
        ctypes.memmove(self.ptr, _address(mem), size)
        transfers.start(get_current_stream() if stream is None else stream, source)

    def copy_from_device_async(
        self, src: MemoryPointer, size: int, stream: Stream | None = None
    ) -> None:
        """Copy from memory of this or another device."""
        recorder.add("device_copies")
        ctypes.memmove(self.ptr, src.ptr, size)

    def copy_from_device(self, src: MemoryPointer, size: int) -> None:
        """Copy from memory of this or another device."""
        self.copy_from_device_async(src, size)

    def memset_async(self, value: int, size: int, stream: Stream | None = None) -> None:
        """Fill with a byte."""
        recorder.add("memsets")
        ctypes.memset(self.ptr, value, size)


def _address(mem: Any) -> int:
    return int(mem.value or 0) if isinstance(mem, ctypes.c_void_p) else mem
