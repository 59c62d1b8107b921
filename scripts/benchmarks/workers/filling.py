"""Replay buffers that are full from the start."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import numpy as np

from sac.replay.buffer import ReplayBuffer
from sac.terminal.interrupt import InterruptGuard
from sac.training.loop import TrainingLoop
from sac.training.report import Report

BLOCK = 1000  # transitions that are drawn at a time


def filled_buffer(
    transitions: int,
    observation_shape: tuple[int, ...],
    observation_dtype: Any,
    action_shape: tuple[int, ...],
    action_dtype: Any,
) -> ReplayBuffer:
    """Return a buffer full of random transitions; actions of an integer dtype are 0 or 1."""
    layout = (observation_shape, observation_dtype, action_shape, action_dtype)
    replay_buffer = ReplayBuffer(transitions, 1, *layout, np.random.default_rng(0), gamma=0.99)
    fill(replay_buffer, transitions, *layout)
    return replay_buffer


def fill(
    replay_buffer: ReplayBuffer,
    transitions: int,
    observation_shape: tuple[int, ...],
    observation_dtype: Any,
    action_shape: tuple[int, ...],
    action_dtype: Any,
) -> None:
    """Add random transitions one by one, each starting where the one before ended."""
    rng = np.random.default_rng(1)
    no, yes = np.zeros(1, np.bool_), np.ones(1, np.bool_)
    first = rng.standard_normal((1, *observation_shape)).astype(observation_dtype)
    for start in range(0, transitions, BLOCK):
        steps = min(BLOCK, transitions - start)
        rest = rng.standard_normal((steps, 1, *observation_shape)).astype(observation_dtype)
        actions = rng.uniform(0, 2, (steps, 1, *action_shape)).astype(action_dtype)
        rewards = rng.standard_normal((steps, 1), np.float32)
        pairs = pairwise([first, *rest])
        for (observation, following), action, reward in zip(pairs, actions, rewards, strict=True):
            replay_buffer.add(observation, action, reward, no, no, following, yes)
        first = rest[-1]


@contextmanager
def full_from_the_start() -> Iterator[None]:
    """Let every training in this process begin with a full buffer, as late in a long run."""
    run = TrainingLoop.run

    def fill_and_run(loop: TrainingLoop, interrupt: InterruptGuard) -> Iterator[Report]:
        state = loop.state
        encoder, codec = state.agent.observation_encoder, state.agent.action_codec
        layout = (encoder.shape, encoder.dtype, codec.shape, codec.dtype)
        fill(state.replay_buffer, state.config.train.buffer_size, *layout)
        return run(loop, interrupt)

    with patch.object(TrainingLoop, "run", fill_and_run):
        yield
