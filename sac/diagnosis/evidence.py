"""The evidence that checks look at, and their results."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sac.agent.agent import SACAgent
from sac.config import Config
from sac.diagnosis.witness import Played
from sac.environments.probe import Probe
from sac.metrics.history import History
from sac.replay.batch import Batch
from sac.replay.buffer import ReplayBuffer

SAMPLE = 4096  # transitions
SAMPLE_BYTES = 2**26  # of observations: large ones, such as images, are fewer
NETWORK_ROWS = 256  # rows of the batch for checks that run networks: the default batch size


def draw(replay_buffer: ReplayBuffer, agent: SACAgent, seed: int) -> Batch | None:
    """Return transitions to look at, drawn by a generator of their own; None if there are none."""
    if not len(replay_buffer):
        return None
    encoder = agent.observation_encoder
    row_bytes = encoder.dtype.itemsize * math.prod(encoder.shape)
    count = max(1, min(SAMPLE, SAMPLE_BYTES // row_bytes))
    return replay_buffer.peek_steps(count, np.random.default_rng(seed))


class Result(NamedTuple):
    """The result of a check, in words and numbers: fine, ill, too early, or unknown."""

    state: Literal["fine", "ill", "early", "unknown"]
    text: str
    remedy: str = ""


fine = partial(Result, "fine")
ill = partial(Result, "ill")  # the text says what is wrong, the remedy what may help
early = partial(Result, "early")  # a longer training will tell; the text says how it stands
unknown = partial(Result, "unknown")  # the text says why the check cannot tell


@dataclass(frozen=True)
class Evidence:
    """Everything known about a run; a check that lacks a part of it is `unknown`."""

    config: Config
    agent: SACAgent
    step: int
    history: History  # of metrics.csv
    batch: Batch | None  # drawn from the replay
    episodes: Sequence[Played] = ()  # of the deterministic policy
    environment_seconds: float | None = None  # time of a step of one environment
    probe: Probe | None = None  # of a new environment

    @property
    def has_choice(self) -> bool:
        """Return whether there is more than one action: otherwise a policy has nothing to learn."""
        codec = self.agent.action_codec
        return codec.continuous > 0 or max(codec.categories) > 1

    def logged(self, tag: str) -> NDArray[np.float64]:
        """Return the finite numbers that were logged by a tag."""
        return self.history[tag].numbers

    def network_rows(self) -> Batch | None:
        """Return the part of the batch for checks that run networks."""
        return None if self.batch is None else self.batch.map(lambda a: a[:NETWORK_ROWS])

    def generator(self) -> np.random.Generator:
        """Return a generator of the checks' own, as they must not draw from the training's."""
        return np.random.default_rng(self.step)
