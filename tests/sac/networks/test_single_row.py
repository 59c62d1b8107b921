"""Acting on one observation without tensors gives what the networks give for a batch."""

from typing import Literal

import numpy as np
import pytest
from gymnasium import spaces

from sac.agent.agent import SACAgent
from sac.config import AgentConfig

OBSERVATIONS = spaces.Box(-1, 1, (5,), np.float32)
ACTIONS = {
    "continuous": spaces.Box(-2, 2, (2, 3), np.float32),
    "discrete": spaces.Discrete(4, start=1),
}


@pytest.fixture(params=["continuous", "discrete"])
def action_space(request: pytest.FixtureRequest) -> spaces.Space:
    return ACTIONS[request.param]


@pytest.mark.parametrize("activation", ["relu", "tanh", "elu"])
def test_one_observation_is_acted_on_as_in_a_batch(
    action_space: spaces.Space, activation: Literal["relu", "tanh", "elu"]
) -> None:
    config = AgentConfig(hidden_sizes=(16, 8), activation=activation)
    agent = SACAgent(OBSERVATIONS, action_space, config, seed=1)
    observations = np.random.default_rng(0).standard_normal((20, 5)).astype(np.float32)
    both = agent.greedy(observations)
    single = np.concatenate([agent.greedy(row[None]) for row in observations])
    np.testing.assert_allclose(single, both, rtol=1e-5, atol=1e-6)
    sampled = agent.sample(observations, np.random.default_rng(7))
    generator = np.random.default_rng(7)
    one_by_one = np.concatenate([agent.sample(row[None], generator) for row in observations])
    np.testing.assert_allclose(one_by_one, sampled, rtol=1e-5, atol=1e-6)
    assert one_by_one.dtype == sampled.dtype


def test_it_sees_every_change_of_the_weights(action_space: spaces.Space) -> None:
    agent = SACAgent(OBSERVATIONS, action_space, AgentConfig(hidden_sizes=(8,)), seed=1)
    other = SACAgent(OBSERVATIONS, action_space, AgentConfig(hidden_sizes=(8,)), seed=2)
    observation = np.ones((1, 5), np.float32)
    agent.greedy(observation)
    agent.load_state_dict(other.state_dict())
    np.testing.assert_array_equal(agent.greedy(observation), other.greedy(observation))
