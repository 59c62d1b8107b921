"""What the checks look at, and what each of them says."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sac.agent.agent import SACAgent
from sac.config import Config
from sac.diagnosis.witness import Played
from sac.environments.probe import Probe
from sac.replay.batch import Batch
from sac.replay.buffer import ReplayBuffer

SAMPLE = 4096  # transitions
SAMPLE_BYTES = 2**26  # of observations: fewer of them, where they are images
NETWORK_ROWS = 256  # of the batch that networks are run on: as many as an update sees by default


def draw(replay_buffer: ReplayBuffer, agent: SACAgent, seed: int) -> Batch | None:
    """Return transitions to look at, None where there are none; no generator of others is used."""
    if not len(replay_buffer):
        return None
    encoder = agent.observation_encoder
    row_bytes = encoder.dtype.itemsize * math.prod(encoder.shape)
    count = max(1, min(SAMPLE, SAMPLE_BYTES // row_bytes))
    return replay_buffer.peek(count, np.random.default_rng(seed))


class Result(NamedTuple):
    """What one check says, with its numbers: fine, ill, or unknown and why."""

    state: Literal["fine", "ill", "unknown"]
    text: str
    remedy: str = ""


def fine(text: str) -> Result:
    """Return that nothing is wrong."""
    return Result("fine", text)


def ill(text: str, remedy: str) -> Result:
    """Return what is wrong and what may help."""
    return Result("ill", text, remedy)


def unknown(reason: str) -> Result:
    """Return why nothing can be said."""
    return Result("unknown", reason)


@dataclass(frozen=True)
class Evidence:
    """All that is known of a run; where a part is missing, the checks that need it say so."""

    config: Config
    agent: SACAgent
    step: int
    history: Mapping[str, NDArray[np.float64]]  # columns of metrics.csv, nan for an empty cell
    batch: Batch | None  # drawn from the replay
    episodes: Sequence[Played] = ()  # of the deterministic policy
    environment_seconds: float | None = None  # that a step of one environment takes
    probe: Probe | None = None  # of a new environment

    def logged(self, tag: str) -> NDArray[np.float64]:
        """Return the numbers of a column, without the steps that have none; maybe none at all."""
        column = self.history.get(tag, np.empty(0))
        return column[np.isfinite(column)]

    def network_rows(self) -> Batch | None:
        """Return as much of the batch as networks are run on."""
        return None if self.batch is None else self.batch.map(lambda a: a[:NETWORK_ROWS])

    def generator(self) -> np.random.Generator:
        """Return a generator of the checks' own: they draw from none of the training's."""
        return np.random.default_rng(self.step)
