"""From stored observations to the networks' input, with running statistics where asked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd as torch
from autograd import Tensor
from autograd.functional.fused import standardise

CLIP = 10.0  # standard deviations; a rare outlier must not dominate a batch
EPSILON = 1e-8


class ObservationInput:
    """Turns (batch, *shape) arrays into float32 tensors (batch, features).

    Features of uint8 are divided by their largest value here and nowhere else.
    """

    learns_largest = True

    def __init__(
        self, shape: tuple[int, ...], device: torch.device, largest: np.ndarray | None = None
    ) -> None:
        """Take the shape of one stored observation.

        `largest`: what each feature is divided by, 0 where `observe` is to find the largest value;
        None where no feature is of uint8.
        """
        self.features = int(np.prod(shape))
        self.device = device
        self.has_uint8 = largest is not None
        given = np.ones(1) if largest is None else largest.reshape(-1)
        if (given == given[0]).all() and given[0] > 0:
            given = given[:1]  # one number serves all features, as of an image
        self._is_known = given > 0
        self.largest = np.maximum(given, 1).astype(np.float32)
        self._divide()

    def _divide(self) -> None:
        self.uint8_factor = (1 / self.largest).astype(np.float32)
        self._factor_on_device: Tensor | None = None

    @property
    def _finds_largest(self) -> bool:
        return self.learns_largest and not self._is_known.all()

    def observe(self, observations: np.ndarray) -> None:
        """Learn the largest values of codes from new observations (batch, *shape)."""
        if not self._finds_largest or not len(observations):
            return
        seen = observations.reshape(len(observations), self.features).max(0)
        larger = np.where(self._is_known, self.largest, np.maximum(self.largest, seen))
        if (larger > self.largest).any():
            self.largest = larger.astype(np.float32)
            self._divide()

    def __call__(self, observations: np.ndarray | Tensor) -> Tensor:
        """Return the networks' input; it shares memory with a float32 array.

        Tensors are those of observations that are on the device already.
        """
        if not isinstance(observations, Tensor):
            return torch.as_tensor(self.array(observations), device=self.device)
        flat = observations.reshape(len(observations), self.features)
        if self.has_uint8:
            if self._factor_on_device is None:
                self._factor_on_device = torch.as_tensor(self.uint8_factor, device=self.device)
            flat = flat * self._factor_on_device
        return self.scaled_tensor(flat)

    def array(self, observations: np.ndarray) -> np.ndarray:
        """Return the same as an array in host memory."""
        flat = observations.reshape(len(observations), self.features)
        return self.scaled(flat * self.uint8_factor if self.has_uint8 else flat)

    def scaled(self, flat: np.ndarray) -> np.ndarray:
        """Return (batch, features) as it is."""
        return flat

    def scaled_tensor(self, flat: Tensor) -> Tensor:
        """Return what `scaled` does, on the device."""
        return flat

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return the largest values, if they are learned."""
        return {"largest": self.largest.copy()} if self._finds_largest else {}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Take over what `state_dict` returned."""
        if "largest" in state:
            self.largest = state["largest"].copy()
            self._divide()


class NormalizedObservationInput(ObservationInput):
    """Standardises every feature by the mean and variance of all that `observe` was given.

    Batches are merged in float64. Source: Chan et al. 1979, the parallel form of Welford's update.
    """

    learns_largest = False  # which would move under the statistics, and does not matter to them

    def __init__(
        self,
        shape: tuple[int, ...],
        device: torch.device,
        largest: np.ndarray | None = None,
        images: Sequence[slice] = (),
    ) -> None:
        """Start with mean 0 and variance 1.

        `images`: brightnesses that an encoder reads, which are not standardised.
        """
        super().__init__(shape, device, largest)
        self._images = images
        free = np.ones(self.features, np.bool_)
        for columns in images:
            free[columns] = False
        # Those that have statistics: all, without a copy of them, where no image is among them.
        self._columns: Any = np.flatnonzero(free) if images else slice(None)
        self.count = 0.0
        self.mean = np.zeros(self.features)
        self.squares = np.zeros(self.features)  # summed squared deviations from the mean
        self._refresh()

    def observe(self, observations: np.ndarray) -> None:
        """Merge observations (batch, *shape) into the statistics."""
        n = len(observations)
        if n == 0:
            return
        columns = self._columns
        flat = observations.reshape(n, self.features)[:, columns].astype(np.float64)
        if self.has_uint8:
            flat *= np.broadcast_to(self.uint8_factor, self.features)[columns]
        difference = flat.mean(0) - self.mean[columns]
        total = self.count + n
        self.mean[columns] += difference * (n / total)
        self.squares[columns] += ((flat - flat.mean(0)) ** 2).sum(0)
        self.squares[columns] += difference**2 * (self.count * n / total)
        self.count = total
        self._refresh()

    def _refresh(self) -> None:
        variance = self.squares / self.count if self.count > 1 else np.ones(self.features)
        self.shift = self.mean.astype(np.float32)
        self.factor = (1 / np.sqrt(variance + EPSILON)).astype(np.float32)
        for columns in self._images:
            self.factor[columns] = 1  # their mean stays 0
        self._on_device: tuple[Tensor, Tensor] | None = None

    def scaled(self, flat: np.ndarray) -> np.ndarray:
        """Return (batch, features) standardised and clipped to +-10."""
        standardised = (flat - self.shift) * self.factor
        return np.clip(standardised, -CLIP, CLIP, out=standardised)

    def scaled_tensor(self, flat: Tensor) -> Tensor:
        """Return what `scaled` does, on the device."""
        if self._on_device is None:
            shift, factor = (
                torch.as_tensor(array, device=self.device) for array in (self.shift, self.factor)
            )
            self._on_device = shift, factor
        return standardise(flat, *self._on_device, CLIP)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return count, mean and summed squares in float64."""
        return {
            "count": np.array(self.count),
            "mean": self.mean.copy(),
            "squares": self.squares.copy(),
        }

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Take over what `state_dict` returned."""
        self.count = float(state["count"])
        self.mean, self.squares = state["mean"].copy(), state["squares"].copy()
        self._refresh()
