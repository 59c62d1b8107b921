"""The factor on rewards, from the discounted returns that they make."""

import numpy as np

EPSILON = 1e-8


class RewardScale:
    """Divides rewards so that their discounted sums have a standard deviation near 1 and a bound.

    The sums are over an episode up to now: a return to come can be larger, where rewards are
    largest early. The divisor is the larger of the standard deviation of all sums so far and of the
    largest, in size, over `bound`. Sources: Engstrom et al. 2020, arXiv:2005.12729; FlashSAC,
    arXiv:2604.04539.
    """

    def __init__(self, bound: float) -> None:
        """Start with the factor 1."""
        self.bound = bound
        self.count = self.mean = self.squares = self.largest = 0.0

    def observe(self, returns: np.ndarray) -> None:
        """Merge discounted sums (n,): of each environment's present episode up to now."""
        for value in returns.tolist():  # Welford's update
            self.count += 1
            difference = value - self.mean
            self.mean += difference / self.count
            self.squares += difference * (value - self.mean)
            self.largest = max(self.largest, abs(value))

    @property
    def factor(self) -> float:
        """What rewards are multiplied by."""
        if self.count < 2 or self.largest == 0:  # no reward was met yet: the next may have any size
            return 1.0
        std = (self.squares / self.count) ** 0.5
        return 1 / max(std, self.largest / self.bound, EPSILON)

    def state_dict(self) -> dict[str, np.ndarray]:
        """Return the statistics, in float64."""
        names = ("count", "mean", "squares", "largest")
        return {name: np.array(getattr(self, name)) for name in names}

    def load_state_dict(self, state: dict[str, np.ndarray]) -> None:
        """Take over what `state_dict` returned."""
        for name, value in state.items():
            setattr(self, name, float(value))
