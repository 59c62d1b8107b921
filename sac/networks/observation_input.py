"""From stored observations to the networks' input, with running statistics where asked for."""

import numpy as np

import autograd as torch
from autograd import Tensor
from autograd.functional.fused import standardise

CLIP = 10.0  # standard deviations; a rare outlier must not dominate a batch
EPSILON = 1e-8
UINT8_SCALE = 1 / 255


class ObservationInput:
    """Turns (batch, *shape) arrays into float32 tensors (batch, features).

    Images (uint8) are scaled to [0, 1] here and nowhere else.
    """

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        """Take the shape of one stored observation."""
        self.features = int(np.prod(shape))
        self.device = device

    def observe(self, observations: np.ndarray) -> None:
        """Learn nothing from new observations (batch, *shape)."""

    def __call__(self, observations: np.ndarray | Tensor) -> Tensor:
        """Return the networks' input; it shares memory with a float32 array.

        Tensors are those of observations that are on the device already.
        """
        if not isinstance(observations, Tensor):
            return torch.as_tensor(self.array(observations), device=self.device)
        flat = observations.reshape(len(observations), self.features)
        return self.scaled_tensor(flat * UINT8_SCALE if flat.dtype is torch.uint8 else flat)

    def array(self, observations: np.ndarray) -> np.ndarray:
        """Return the same as an array in host memory."""
        flat = observations.reshape(len(observations), self.features)
        if flat.dtype == np.uint8:
            flat = flat * np.float32(UINT8_SCALE)
        return self.scaled(flat)

    def scaled(self, flat: np.ndarray) -> np.ndarray:
        """Return (batch, features) as it is."""
        return flat

    def scaled_tensor(self, flat: Tensor) -> Tensor:
        """Return what `scaled` does, on the device."""
        return flat

    def state_dict(self) -> dict[str, np.ndarray]:
        """Nothing to keep."""
        return {}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Nothing to restore."""


class NormalizedObservationInput(ObservationInput):
    """Standardises every feature by the mean and variance of all that `observe` was given.

    Batches are merged in float64. Source: Chan et al. 1979, the parallel form of Welford's update.
    """

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        """Start with mean 0 and variance 1."""
        super().__init__(shape, device)
        self.count = 0.0
        self.mean = np.zeros(self.features)
        self.squares = np.zeros(self.features)  # summed squared deviations from the mean
        self._refresh()

    def observe(self, observations: np.ndarray) -> None:
        """Merge observations (batch, *shape) into the statistics."""
        n = len(observations)
        if n == 0:
            return
        flat = observations.reshape(n, self.features).astype(np.float64)
        if observations.dtype == np.uint8:
            flat *= UINT8_SCALE
        difference = flat.mean(0) - self.mean
        total = self.count + n
        self.mean = self.mean + difference * (n / total)
        self.squares = (
            self.squares
            + ((flat - flat.mean(0)) ** 2).sum(0)
            + difference**2 * (self.count * n / total)
        )
        self.count = total
        self._refresh()

    def _refresh(self) -> None:
        variance = self.squares / self.count if self.count > 1 else np.ones(self.features)
        self.shift = self.mean.astype(np.float32)
        self.factor = (1 / np.sqrt(variance + EPSILON)).astype(np.float32)
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
