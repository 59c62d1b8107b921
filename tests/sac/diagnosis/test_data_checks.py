"""Checks of the replay's batch and of evaluation episodes, on ones made for them."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from sac.config import Config
from sac.diagnosis.data_checks import observation_scale, pace, rewards, time_limit
from sac.diagnosis.evidence import Evidence
from sac.metrics.history import History
from sac.replay.batch import Batch
from tests.sac.agents_for_tests import make_agent, make_batch
from tests.sac.images_for_tests import IMAGE

ROWS = 2000


def batch_of(reward: np.ndarray, action: np.ndarray, discount: np.ndarray) -> Batch:
    action, reward, discount = (
        column.astype(np.float32).reshape(ROWS, 1) for column in (action, reward, discount)
    )
    zeros = np.zeros((ROWS, 1), np.float32)
    return Batch(
        observation=zeros, action=action, reward=reward, discount=discount, next_observation=zeros
    )


def evidence_of(
    batch: Batch, step: int = 50_000, gamma: float = 0.99, updates: int = 9, **parts: Any
) -> Evidence:
    codec = SimpleNamespace(categories=())
    agent: Any = SimpleNamespace(reward_factor=1.0, updates=updates, action_codec=codec)
    returns = np.arange(10.0) if np.any(batch.reward) else np.zeros(10)
    history = History({"step": np.arange(10.0), "rollout/episode_return": returns})
    config = Config.from_dict({"agent": {"gamma": gamma}})  # of 100,000 steps
    return Evidence(config, agent, step, history, batch, **parts)


def ends(count: int, gamma: float = 0.99) -> np.ndarray:
    return np.where(np.arange(ROWS) < count, 0, gamma)


@pytest.mark.parametrize(
    ("gamma", "count", "state"), [(0.99, 10, "fine"), (0.99, 0, "ill"), (0, 10, "ill")]
)
def test_the_end_of_an_episode_is_news_where_the_discount_tells(
    gamma: float, count: int, state: str
) -> None:
    zeros = np.zeros(ROWS)
    evidence = evidence_of(batch_of(zeros, zeros, ends(count, gamma)), gamma=gamma)
    assert rewards(evidence).state == state


@pytest.mark.parametrize(
    ("cost", "goals", "slope", "state"),
    [
        (0.1, 0, 0.0, "ill"),
        (0.1, 10, 0.0, "fine"),  # the goal was met ten times
        (0.1, 0, 0.01, "fine"),  # rewards depend on the state, too
        (0.0, 0, 0.0, "fine"),  # a constant: the lengths of episodes tell what to do
    ],
)
def test_rewards_that_are_costs_of_the_action_alone_tell_of_no_goal(
    cost: float, goals: int, slope: float, state: str
) -> None:
    action, row = np.linspace(-1, 1, ROWS), np.arange(ROWS)
    reward = 1 - cost * action**2 + slope * np.sin(row) + 100 * (row < goals)
    result = rewards(evidence_of(batch_of(reward, action, ends(0))))
    assert result.state == state
    if state == "ill":
        assert "train.random_action_repeat" in result.remedy and "train.n_step" in result.remedy


@pytest.mark.parametrize(("scale", "remedy"), [(1.0, "0.001"), (0.2, "0.0002"), (30.0, "0.03")])
def test_the_scale_that_is_advised_is_of_the_one_there_is(scale: float, remedy: str) -> None:
    evidence = evidence_of(batch_of(np.full(ROWS, 500 / scale), np.zeros(ROWS), ends(9)))
    agent: Any = evidence.agent
    agent.reward_factor = scale
    config = Config.from_dict({"agent": {"reward_scale": scale}})
    result = rewards(replace(evidence, config=config))
    assert (result.state, result.remedy) == ("ill", f"agent.reward_scale: {remedy}")


@pytest.mark.parametrize(
    ("train", "uses"),
    [
        ({}, "256"),
        ({"demonstrations": "run"}, "128"),
        ({"demonstrations": "run", "demonstration_fraction": 0.25}, "192"),
        ({"demonstrations": "run", "demonstration_fraction": 0}, "256"),
    ],
)
def test_demonstrations_are_no_use_of_the_runs_own_steps(train: dict[str, Any], uses: str) -> None:
    evidence = evidence_of(batch_of(np.ones(ROWS), np.zeros(ROWS), ends(9)), updates=49_000)
    result = pace(replace(evidence, config=Config.from_dict({"train": train})))
    assert result.text == f"a transition is used {uses} times"


WAITS: dict[str, Any] = {
    "lasting": 10, "late": -0.03, "ended": 20, "step": 50_000, "success": None, "updates": 9,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "ill"),
        ({"lasting": 9}, "ill"),
        ({"lasting": 8}, "fine"),  # some land
        ({"late": 1.0}, "fine"),  # it pays to stay, as in CartPole
        ({"ended": 0}, "fine"),  # nothing ends an episode, as in Pendulum
        ({"step": 49_999}, "early"),
        ({"updates": 0}, "unknown"),
        ({"success": True}, "fine"),
    ],
)
def test_episodes_that_last_until_the_limit_for_nothing(change: dict[str, Any], state: str) -> None:
    case = WAITS | change
    episodes: Any = [
        SimpleNamespace(
            truncated=i < case["lasting"], late_reward=case["late"], success=case["success"]
        )
        for i in range(10)
    ]
    batch = batch_of(np.ones(ROWS), np.zeros(ROWS), ends(case["ended"]))
    evidence = evidence_of(batch, step=case["step"], updates=case["updates"], episodes=episodes)
    result = time_limit(evidence)
    assert result.state == state
    if state == "ill":
        assert f"{case['lasting']} of 10 evaluation episodes last until a limit" in result.text
        assert "train.n_step" in result.remedy and "target_entropy" not in result.remedy
        evidence.agent.action_codec.categories = (3,)
        assert "agent.target_entropy: 0.2" in time_limit(evidence).remedy


def test_the_scale_of_pixels_is_not_asked_for() -> None:
    """A pixel that hardly varies, beside bright ones, was reported as too small."""
    space = spaces.Dict(image=IMAGE, place=spaces.Box(-9, 9, (1,)), speed=spaces.Box(-9, 9, (1,)))
    evidence = scales(space, [1.0, 5e5])
    assert evidence.state == "ill"
    assert f"feature {36 * 36 + 1} is about" in evidence.text
    assert f"feature {36 * 36} varies" in evidence.text
    assert scales(space, [1.0, 2.0]).state == "fine"
    assert scales(IMAGE, []).text == "observations are images alone"


@pytest.mark.parametrize(
    ("keys", "state"),
    [
        ({"critic_norm": "batch", "policy_norm": "batch_renorm"}, "fine"),
        ({"network": "flashsac"}, "fine"),
        ({"critic_norm": "batch"}, "ill"),  # the policy reads them as they are
        ({"policy_norm": "batch"}, "ill"),
        ({"critic_norm": "layer", "policy_norm": "layer"}, "ill"),  # after the first layer
        ({"network": "simba"}, "ill"),
    ],
)
def test_networks_that_begin_with_batch_norm_take_any_scale(
    keys: dict[str, Any], state: str
) -> None:
    agent = make_agent(observations=spaces.Box(-9, 9, (2,)), **keys)
    rows = np.random.default_rng(0).normal(size=(32, 2)).astype(np.float32) * [1.0, 5e5]
    batch = replace(make_batch(agent, size=32), observation=rows.astype(np.float32))
    result = observation_scale(
        Evidence(Config(), agent, 100, History({"step": np.empty(0)}), batch)
    )
    assert result.state == state
    assert ("BatchNorm" in result.text) == (state == "fine")


def scales(space: spaces.Space, factors: list[float]) -> Any:
    agent, rng = make_agent(observations=space), np.random.default_rng(0)
    batch = make_batch(agent, size=32)
    pixels = np.where(rng.random((32, 36 * 36)) < 0.001, 1, 0) * np.ones(36 * 36)
    pixels[:, 0] = 255 * (rng.random(32) < 0.5)
    numbers = rng.normal(size=(32, len(factors))) * factors
    seen = np.hstack([pixels, numbers]).astype(agent.observation_encoder.dtype)
    observation = seen.reshape(batch.observation.shape)
    batch = replace(batch, observation=observation)
    return observation_scale(Evidence(Config(), agent, 100, History({"step": np.empty(0)}), batch))
