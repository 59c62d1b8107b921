"""`cupy.random`: a generator without normal, choice, permutation and shuffle."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.cupy_standin.counts import recorder
from tests.cupy_standin.devices import current_device
from tests.cupy_standin.ndarray import ndarray, new

STREAM = 0x5EED  # the numbers differ from NumPy's for the same seed


class BitGenerator:
    """Where the bits come from; its state lies on the device."""

    def __init__(self, seed: Any = None) -> None:
        entropy = seed.entropy if isinstance(seed, np.random.SeedSequence) else seed
        spawn_key = seed.spawn_key if isinstance(seed, np.random.SeedSequence) else ()
        sequence = np.random.SeedSequence(entropy, spawn_key=(*spawn_key, STREAM))
        self._numpy = np.random.Generator(np.random.Philox(sequence))
        self._device = current_device()


class XORWOW(BitGenerator):
    """The default of CuPy."""


class MRG32k3a(BitGenerator):
    """Another one."""


class Philox4x3210(BitGenerator):
    """Another one, based on a counter."""


class Generator:
    """Random arrays of the device."""

    def __init__(self, bit_generator: BitGenerator) -> None:
        self.bit_generator = bit_generator

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> ndarray:
        """Uniform in [0, 1)."""
        return self._drawn(self._numpy.random, size, dtype, out)

    def standard_normal(
        self, size: Any = None, dtype: Any = np.float64, out: Any = None
    ) -> ndarray:
        """Of the standard normal distribution."""
        return self._drawn(self._numpy.standard_normal, size, dtype, out)

    def standard_exponential(
        self, size: Any = None, dtype: Any = np.float64, method: str = "inv", out: Any = None
    ) -> ndarray:
        """Of the standard exponential distribution."""
        return self._drawn(self._numpy.standard_exponential, size, dtype, out)

    def exponential(self, scale: Any = 1.0, size: Any = None) -> ndarray:
        """Of an exponential distribution."""
        recorder.kernel("exponential")
        return new(self._numpy.exponential(scale, size))

    def uniform(
        self, low: Any = 0.0, high: Any = 1.0, size: Any = None, dtype: Any = np.float64
    ) -> ndarray:
        """Uniform between two numbers."""
        recorder.kernel("uniform", 2)
        return new(np.asarray(self._numpy.uniform(low, high, size)).astype(dtype))

    def integers(
        self,
        low: int,
        high: int | None = None,
        size: Any = None,
        dtype: Any = np.int64,
        endpoint: bool = False,
    ) -> ndarray:
        """Whole numbers."""
        recorder.kernel("integers")
        return new(self._numpy.integers(low, high, size, dtype, endpoint))

    @property
    def _numpy(self) -> np.random.Generator:
        if self.bit_generator._device != current_device():
            raise ValueError("This Generator state is allocated in another device")
        return self.bit_generator._numpy

    def _drawn(self, method: Any, size: Any, dtype: Any, out: Any) -> ndarray:
        recorder.kernel(method.__name__)
        if out is None:
            return new(method(size, np.dtype(dtype)))
        if size is not None and tuple(np.atleast_1d(size)) != out.shape:
            raise ValueError("size and out do not match")
        if out.dtype != np.dtype(dtype):
            raise TypeError("Supplied output array has the wrong type.")
        out._host[...] = method(out.shape, np.dtype(dtype))
        return out


def default_rng(seed: Any = None) -> Generator:
    """A generator, seeded from the operating system where no seed is given."""
    if isinstance(seed, Generator):
        return seed
    return Generator(seed if isinstance(seed, BitGenerator) else XORWOW(seed))
