"""`Generator`: a stream of random numbers, with torch's methods.

On the CPU, NumPy's generators draw; on a GPU, `Philox`, which has the same methods.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.backend import cuda, resolved
from autograd.backend.gpu import philox
from autograd.backend.gpu.philox import Philox, checked_state
from autograd.creation import made
from autograd.dtypes import DeviceLike, device, device_argument
from autograd.engine.capture import effect
from autograd.engine.grad_mode import refuse_capture
from autograd.functional.checks import integer, require_tensor
from autograd.tensors.tensor import Tensor

DEFAULT_SEED = 67280421310721  # torch's: without a seed two runs draw the same numbers
# The names that a file may contain; a name outside this table is refused.
BIT_GENERATORS: dict[str, Callable[[], np.random.BitGenerator]] = {
    "MT19937": np.random.MT19937,
    "PCG64": np.random.PCG64,
    "PCG64DXSM": np.random.PCG64DXSM,
    "Philox": np.random.Philox,
    "SFC64": np.random.SFC64,
}


class Generator:
    """A stream of random numbers on a device, the CPU by default."""

    _source: Any  # a generator of NumPy or, on a GPU, a `Philox`

    def __init__(self, device: DeviceLike = "cpu") -> None:
        """Start with torch's default seed; numbers are drawn on `device`."""
        refuse_capture("a generator is made")
        self._device = resolved(device_argument(device))
        self.manual_seed(DEFAULT_SEED)

    @property
    def device(self) -> device:
        """The device on which numbers are drawn."""
        return self._device

    @effect
    def manual_seed(self, seed: int) -> Generator:
        """Restart from `seed`, which may be negative."""
        if isinstance(seed, float):
            raise RuntimeError("manual_seed expected a long, but got float")
        seed = integer("manual_seed", seed, "seed")
        if not -(2**63) <= seed < 2**64:
            raise ValueError("Overflow when unpacking long long")
        self._seed = seed % 2**64  # NumPy takes no negative seeds
        if self._device.type == "cpu":
            self._source = np.random.default_rng(self._seed)
        else:
            self._source = Philox(cuda(), self._device.index, self._seed)
        return self

    @effect
    def seed(self) -> int:
        """Restart from a seed of the operating system, and return it."""
        self.manual_seed(int(np.random.SeedSequence().generate_state(1, np.uint64)[0]) >> 1)
        return self._seed

    def initial_seed(self) -> int:
        """The last seed; 0 for a generator made from NumPy's."""
        return self._seed

    def state_dict(self) -> dict[str, Any]:
        """The state as numbers, strings and lists, which JSON can hold."""
        refuse_capture("the state of a generator is read")
        if self._device.type == "cuda":
            return {"seed": self._seed, "bit_generator": self._source.state}
        return {"seed": self._seed, "bit_generator": _plain(self._source.bit_generator.state)}

    @effect
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue exactly where the generator of this state was.

        A state of a GPU does not fit the CPU, nor the other way round: then the numbers differ, but
        follow from the state.
        """
        try:
            seed, inner = int(state["seed"]), state["bit_generator"]
            on_gpu = inner["bit_generator"] == philox.NAME
            source: Any = checked_state(inner) if on_gpu else _numpy_source(inner)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise RuntimeError(f"this is no state of a Generator: {error!r}") from error
        if on_gpu != (self._device.type == "cuda"):
            digest = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).digest()
            self.manual_seed(int.from_bytes(digest[:8]))
        elif on_gpu:
            self._source.key, self._source.counter = source
        else:
            self._source = source
        self._seed = seed

    def get_state(self) -> Tensor:
        """The state as a tensor of bytes."""
        data = json.dumps(self.state_dict()).encode()
        return made(np.frombuffer(data, np.uint8).copy())

    @effect
    def set_state(self, new_state: Tensor) -> None:
        """Continue exactly where the generator of `new_state` was."""
        require_tensor("set_state", new_state, "new_state")
        if new_state._array.dtype != np.uint8:
            raise TypeError(f"RNG state must be a torch.ByteTensor, not {new_state.dtype}")
        try:
            state = json.loads(bytes(new_state.tolist()))
        except ValueError as error:
            raise RuntimeError("this is no state of a Generator") from error
        self.load_state_dict(state)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy a generator with its state."""
        return _restore, (self.state_dict(), str(self._device))


def from_numpy_generator(
    source: np.random.Generator | np.random.SeedSequence, device: DeviceLike = "cpu"
) -> Generator:
    """Make a generator that draws from NumPy's `source`; on a GPU, one seeded from it.

    On the CPU a SeedSequence seeds NumPy's default generator.
    """
    generator = Generator(device)
    place = generator.device
    if place.type == "cpu":
        generator._source = np.random.default_rng(source)
    else:
        if isinstance(source, np.random.SeedSequence):
            key = source.generate_state(1, np.uint64)[0]
        else:
            key = source.integers(2**64, dtype=np.uint64)
        generator._source = Philox(cuda(), place.index, int(key))
    generator._seed = 0
    return generator


def _numpy_source(state: dict[str, Any]) -> np.random.Generator:
    bit_generator = BIT_GENERATORS[state["bit_generator"]]()
    bit_generator.state = state
    return np.random.Generator(bit_generator)


def _restore(state: dict[str, Any], device: str) -> Generator:
    generator = Generator(device)
    generator.load_state_dict(state)
    return generator


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
