"""Bandits with known answers: entropy meets its target, alpha settles, the best action wins."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from sac.agent.agent import SACAgent
from sac.replay.batch import Batch
from tests.sac.agents_for_tests import ACTION_SPACES, make_agent

OBSERVATIONS = spaces.Box(-1.0, 1.0, (1,), np.float32)
FAST: dict[str, Any] = {
    "policy_lr": 1e-2,
    "soft_q_lr": 1e-2,
    "alpha_lr": 1e-2,
    "hidden_sizes": (16,),
}
BEST_DISCRETE, BEST_CONTINUOUS = 2, 0.4


def one_step_batch(agent: SACAgent, rng: np.random.Generator, size: int = 64) -> Batch:
    """Every episode is one step from the one state: the reward is all there is to learn."""
    state = np.zeros((size, 1), np.float32)
    if agent.action_codec.bounds is None:
        action = agent.action_codec.uniform(size, rng)[:, None]
        reward = (action == BEST_DISCRETE).astype(np.float32)
    else:
        action = rng.uniform(-1, 1, (size, 1)).astype(np.float32)
        reward = -((action - np.float32(BEST_CONTINUOUS)) ** 2)
    return Batch(
        observation=state,
        action=action,
        reward=reward,
        discount=np.zeros((size, 1), np.float32),
        next_observation=state,
    )


def learn(agent: SACAgent, updates: int) -> tuple[float, float]:
    """Return the mean entropy of the last updates, and alpha."""
    rng = np.random.default_rng(0)
    entropies = []
    for _ in range(updates):
        metrics = agent.update(one_step_batch(agent, rng))
        entropies.append(float(metrics["entropy"].mean()))
    return float(np.mean(entropies[-200:])), float(metrics["alpha"])


@pytest.mark.parametrize("target_entropy", ["auto", 0.9])
def test_discrete_entropy_meets_its_target(target_entropy: str | float) -> None:
    agent = make_agent(spaces.Discrete(3), OBSERVATIONS, target_entropy=target_entropy, **FAST)
    entropy, alpha = learn(agent, 800)
    target = agent.temperature.target_entropy
    assert entropy == pytest.approx(target, abs=0.05)
    # Of softmax(Q / alpha) with Q = (0, 0, 1), the alpha whose entropy that is.
    alphas = np.linspace(0.05, 3, 2000)
    best = 1 / (1 + 2 * np.exp(-1 / alphas))
    exact = -best * np.log(best) - (1 - best) * np.log((1 - best) / 2)
    assert alpha == pytest.approx(float(np.interp(target, exact, alphas)), rel=0.15)
    state = np.zeros((1, 1), np.float32)
    assert agent.greedy(state).tolist() == [BEST_DISCRETE]


# The best action of each kind in policy units, and settings to learn it with.
BEST: dict[str, tuple[list[float], dict[str, Any]]] = {
    "whole": ([0.625, -0.375], {}),
    "choices": ([2, 1], {}),
    "binary": ([1, 0, 1], {}),
    "many choices": ([13, 2, 4], {}),
    "parts": ([0.5, -0.4, 0.0, 0.8, 1, 0, 2], {"alpha_per_part": True}),
    "choices by tqc": ([2, 1], {"critic": "tqc"}),
    "choices by atoms": ([2, 1], {"critic": "categorical", "value_bound": 12.0}),
}


@pytest.mark.parametrize("kind", BEST)
def test_each_kind_of_actions_finds_the_best(kind: str) -> None:
    """A miss costs its distance, and 1 for each choice; entropy of each part is near its target."""
    best, keys = BEST[kind]
    agent = make_agent(ACTION_SPACES[kind.split(" by ")[0]], OBSERVATIONS, **{**FAST, **keys})
    codec, rng, state = agent.action_codec, np.random.default_rng(0), np.zeros((64, 1), np.float32)
    for _ in range(700):
        action = codec.uniform(64, rng)
        miss = np.abs(action - np.array(best))
        miss[:, codec.continuous :] = miss[:, codec.continuous :] > 0
        reward = -miss.sum(axis=1, keepdims=True).astype(np.float32)
        agent.update(
            Batch(
                observation=state,
                action=action,
                reward=reward,
                discount=np.zeros_like(reward),
                next_observation=state,
            )
        )
    found = agent.greedy(state[:1])
    n = codec.continuous
    assert found[0, n:].tolist() == best[n:]
    np.testing.assert_allclose(found[0, :n], best[:n], atol=0.13)


def test_continuous_entropy_meets_its_target() -> None:
    agent = make_agent(spaces.Box(-7.0, 7.0, (1,), np.float32), OBSERVATIONS, **FAST)
    entropy, _ = learn(agent, 800)
    assert entropy == pytest.approx(agent.temperature.target_entropy, abs=0.15)
    action = agent.act(np.zeros(1, np.float32), deterministic=True)
    assert action[0] == pytest.approx(7 * BEST_CONTINUOUS, abs=0.5)
