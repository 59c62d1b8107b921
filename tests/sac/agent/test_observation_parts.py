"""Agents that see a Dict of bytes and floats."""

from typing import Any

import numpy as np
from gymnasium import spaces

from sac.replay.batch import Batch
from tests.sac.agents_for_tests import make_agent

LIGHTS = spaces.Box(0, 254, (8,), np.uint8)
SPEED = spaces.Box(-1.0, 1.0, (1,), np.float32)


def test_learns_from_a_float_beside_bytes() -> None:
    """Lights are noise; undivided, they drown the speed that tells the best action."""
    rates: dict[str, Any] = {name: 3e-3 for name in ("policy_lr", "soft_q_lr", "alpha_lr")}
    space = spaces.Dict(lights=LIGHTS, speed=SPEED)
    agent = make_agent(spaces.Box(-1.0, 1.0, (1,)), space, hidden_sizes=(32, 32), **rates)
    rng, size = np.random.default_rng(0), 64

    def observed(n: int) -> np.ndarray:
        lights = rng.integers(0, 255, (n, 8))
        return np.hstack([lights, rng.uniform(-1, 1, (n, 1))]).astype(np.float32)

    for _ in range(300):
        observation, action = observed(size), rng.uniform(-1, 1, (size, 1)).astype(np.float32)
        agent.observe(observation)
        agent.update(
            Batch(
                observation=observation,
                action=action,
                reward=-np.abs(action - 0.5 * np.sign(observation[:, -1:])),
                discount=np.zeros((size, 1), np.float32),
                next_observation=observation,
            )
        )
    observation = observed(256)
    error = np.abs(agent.greedy(observation) - 0.5 * np.sign(observation[:, -1:]))
    assert error.mean() < 0.25  # untrained: 0.5
