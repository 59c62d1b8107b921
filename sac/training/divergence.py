"""Divergence of a training: its likely cause, its record on the disk, and its count in a run.

`divergence-<n>/` in the run's folder records the n-th number that was not finite: `about.json`
describes it, and `batch.safetensors` holds the arrays in which it showed. The run goes back to its
last good checkpoint and continues with other random numbers. They depend on n alone, so that a run
that is killed and resumed after that does the same.
"""

import re
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from sac.agent.agent import SACAgent
from sac.disk import files
from sac.disk.encoding import encode_document, encode_tensors
from sac.errors import DivergenceError, SACError
from sac.replay.batch import Batch

MAX_ROLLBACKS = 3
PREFIX = "divergence-"  # of folders in the run's folder
LARGE = 1e6
KEPT_BYTES = 2**25  # of batches on a device, until its flag is read
NETWORKS = {
    "soft_q_nets": "the soft Q networks",
    "encoder": "the encoder",
    "policy_net": "the policy",
    "temperature": "alpha",
    "target_soft_q_nets": "the target networks",
}
DESCRIPTIONS = {
    "observation": "what the policy saw",
    "action": "what the policy did, in its own units: -1 to 1, or a number from 0",
    "reward": "the environment's reward for it",
    "terminated": "1 where the episode ended for good",
    "truncated": "1 where the episode was cut off",
    "discount": "the factor on the next value: gamma, or 0 where the episode ended for good",
    "next_observation": "what the environment showed next",
    "weight": "the factor on the loss of each, by its priority",
}


class RecentBatches:
    """The batches of the last updates, until later losses show that they were good.

    On a device that shows when its flag is read: at the latest when batches fill `KEPT_BYTES`.
    """

    def __init__(self) -> None:
        self._kept: deque[tuple[int, Batch]] = deque()
        self._bytes = 0

    def add(self, agent: SACAgent, batch: Batch) -> None:
        """Keep the batch of the agent's next update."""
        if not agent.loss_guard.is_deferred:
            self._shorten(1)
        else:
            if self._bytes > KEPT_BYTES:
                self.read(agent)
            self._bytes += _size(batch)
        self._kept.append((agent.updates + 1, batch))

    def read(self, agent: SACAgent) -> None:
        """Raise DivergenceError if any update so far had a bad loss."""
        agent.loss_guard.read()
        self._shorten(1)
        self._bytes = sum(_size(batch) for _, batch in self._kept)

    def of(self, update: int | None) -> dict[str, Any]:
        """Return the arrays of an update's batch by name; none if it is not kept."""
        return next((batch.arrays() for number, batch in self._kept if number == update), {})

    def _shorten(self, length: int) -> None:
        while len(self._kept) > length:
            self._kept.popleft()


def _size(batch: Batch) -> int:
    return sum(array.nbytes for array in batch.arrays().values())


def explained(
    error: DivergenceError, agent: SACAgent, recent: RecentBatches, step: int
) -> DivergenceError:
    """Return the error with the step, the likely cause and the arrays of that moment."""
    if error.update is None:
        return error  # its message says when and why
    culprit = _network_that_is_not_finite(agent)
    quantity, update = error.quantity, error.update
    if culprit is not None:
        # An update computes the loss of Q before any step: an earlier update spoilt the weights.
        update -= 0 if "policy" in quantity else 1
        quantity = f"the gradient of {culprit}"
    evidence = recent.of(update)
    text = f"the training diverged at step {step:,}: {quantity} was not finite in update {update}"
    if culprit is not None:
        text += f", and its weights no longer are since (then {error.quantity} was not)"
    return DivergenceError(
        f"{text}. Likely cause: {_likely_cause(evidence)}",
        quantity=quantity,
        update=update,
        evidence=evidence,
    )


def _network_that_is_not_finite(agent: SACAgent) -> str | None:
    state = agent.state_dict()
    for prefix, name in NETWORKS.items():
        arrays = (array for key, array in state.items() if key.startswith(f"{prefix}."))
        if not all(np.isfinite(array).all() for array in arrays):
            return name
    return None


def _likely_cause(batch: dict[str, Any]) -> str:
    largest = {name: _largest(batch[name]) for name in ("reward", "observation") if name in batch}
    if not all(map(np.isfinite, largest.values())):
        return "its batch holds a number that is not finite"
    if largest.get("reward", 0) > LARGE:
        return (
            f"rewards as large as {largest['reward']:.3g} in its batch; a smaller "
            "agent.reward_scale helps"
        )
    if largest.get("observation", 0) > LARGE:
        return (
            f"observations as large as {largest['observation']:.3g} in its batch; "
            "agent.normalize_observations helps"
        )
    return (
        "the networks' values grew without bound; a lower learning rate, agent.max_grad_norm or a "
        "smaller agent.reward_scale helps"
    )


def _largest(values: Any) -> float:
    return float(np.abs(_host(values)).max(initial=0))


def _host(values: Any) -> np.ndarray:
    return np.asarray(values.numpy(force=True) if hasattr(values, "numpy") else values)


def count_divergences(run_directory: Path) -> int:
    """Return how often a run has diverged."""
    names = (path.name for path in run_directory.glob(f"{PREFIX}*"))
    numbers = (re.fullmatch(rf"{PREFIX}(\d{{1,9}})", name) for name in names)
    return max((int(number[1]) for number in numbers if number is not None), default=0)


class Diverged(DivergenceError):
    """A divergence with a record in the run's folder: the run's `number`-th, from 1."""

    def __init__(self, error: DivergenceError, run_directory: Path, number: int) -> None:
        super().__init__(str(error), quantity=error.quantity, update=error.update)
        self.run_directory = run_directory
        self.number = number

    @classmethod
    def recorded(cls, error: DivergenceError, run_directory: Path, step: int) -> "Diverged":
        """Save the arrays of the error and their description; SACError if that fails."""
        number = count_divergences(run_directory) + 1
        folder = run_directory / f"{PREFIX}{number}"
        arrays = {name: _host(array) for name, array in error.evidence.items()}
        document = {
            "what": str(error),
            "quantity": error.quantity,
            "step": step,
            "update": error.update,
            "arrays of batch.safetensors": {name: DESCRIPTIONS.get(name, "") for name in arrays},
        }
        try:
            with files.new_folder(folder, run_directory) as unfinished:
                files.write_file(unfinished / "about.json", encode_document(document))
                if arrays:
                    files.write_file(unfinished / "batch.safetensors", encode_tensors(arrays))
        except OSError as failure:
            raise SACError(f"{error}. It could not be recorded: {failure.strerror}.") from error
        text = f"{error}. Saved: {folder}"
        return cls(DivergenceError(text, quantity=error.quantity), run_directory, number)

    def stopped(self, step: int) -> DivergenceError:
        """Return the error that ends the run, whose last good checkpoint is of this step."""
        often = f" for the {self.number}th time" if self.number > MAX_ROLLBACKS else ""
        return DivergenceError(
            f"{self}. The run stops{often}; --resume {self.run_directory} goes on from its "
            f"checkpoint of step {step:,} with other random numbers"
        )
