"""The first loss that is not finite ends the learning, at once or through a flag."""

import math
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import autograd as torch
from autograd import nn, optim
from sac.agent.agent import SACAgent
from sac.agent.loss_guard import LossGuard
from sac.config import AgentConfig
from sac.errors import DivergenceError
from sac.replay.batch import Batch
from tests.sac.tiny_runs import assert_same_arrays

OBSERVATIONS = spaces.Box(-1, 1, (3,), np.float32)
ACTIONS: dict[str, Any] = {
    "continuous": spaces.Box(-1, 1, (2,), np.float32),
    "discrete": spaces.Discrete(4),
}
BAD = [math.nan, math.inf, -math.inf]


@pytest.fixture(params=ACTIONS)
def agent(request: pytest.FixtureRequest) -> SACAgent:
    config = AgentConfig(hidden_sizes=(5,))
    return SACAgent(OBSERVATIONS, ACTIONS[request.param], config, seed=3)


def make_batch(agent: SACAgent, reward: float = 1.0) -> Batch:
    rng = np.random.default_rng(0)
    if agent.action_codec.bounds is None:
        action = rng.integers(0, 4, (8, 1))
    else:
        action = rng.uniform(-1, 1, (8, 2)).astype(np.float32)
    rewards = np.full((8, 1), reward, np.float32)
    observations = rng.standard_normal((2, 8, 3)).astype(np.float32)
    return Batch(
        observation=observations[0],
        action=action,
        reward=rewards,
        discount=np.full((8, 1), 0.99, np.float32),
        next_observation=observations[1],
    )


def deferred(agent: SACAgent) -> SACAgent:
    agent.loss_guard = LossGuard(agent.optimizers().values(), agent.device, is_deferred=True)
    return agent


def trained(agent: SACAgent) -> dict[str, np.ndarray]:
    """What optimizers change; targets follow by themselves."""
    state = agent.state_dict()
    return {n: a for n, a in state.items() if not n.startswith(("target_", "updates"))}


@pytest.mark.parametrize("reward", BAD)
def test_bad_loss_raises_before_a_step_on_it(agent: SACAgent, reward: float) -> None:
    agent.update(make_batch(agent))
    before = trained(agent)
    with pytest.raises(DivergenceError, match=r"q1_loss was .* in update 2; a lower") as e:
        agent.update(make_batch(agent, reward))
    assert (e.value.quantity, e.value.update) == ("q1_loss", 2)
    assert_same_arrays(trained(agent), before)


def test_loss_of_every_network_is_watched(agent: SACAgent) -> None:
    for number, network in enumerate(agent.critic.soft_q_nets.layers(), 1):
        before = trained(agent)
        network[0].weight.fill_(math.nan)
        with pytest.raises(DivergenceError, match=f"q{number}_loss "):
            agent.update(make_batch(agent))
        agent.load_weights(before | {n: a for n, a in agent.state_dict().items() if "target" in n})
    agent.policy_optimizer.zero_grad()
    with pytest.raises(DivergenceError, match="policy_loss was nan"):
        loss = torch.tensor(math.nan)
        agent._step((loss, {"policy_loss": loss}), agent.policy_optimizer)


def test_flag_turns_the_bad_step_and_all_later_ones_into_no_ops(agent: SACAgent) -> None:
    deferred(agent).update(make_batch(agent))
    agent.loss_guard.read()
    before = trained(agent)
    for reward in (math.inf, 1.0, math.nan):
        agent.update(make_batch(agent, reward))
    assert_same_arrays(trained(agent), before)
    with pytest.raises(DivergenceError, match="q1_loss was not finite in update 2"):
        agent.loss_guard.read()


def test_flag_changes_nothing_while_all_is_well(agent: SACAgent) -> None:
    # The flag is a device's, whose updates are not compiled.
    other = SACAgent(OBSERVATIONS, agent.action_codec.space, agent.config, seed=3, compile="never")
    for _ in range(3):
        other.update(make_batch(agent))
    deferred(agent)
    for _ in range(3):
        agent.update(make_batch(agent))
    agent.loss_guard.read()
    assert_same_arrays(agent.state_dict(), other.state_dict())


@pytest.mark.parametrize("is_deferred", [False, True])
def test_first_bad_loss_is_named(is_deferred: bool) -> None:
    optimizer = optim.Adam([nn.Parameter(torch.ones(2))])
    guard = LossGuard([optimizer], torch.device("cpu"), is_deferred=is_deferred)
    good, bad = torch.tensor(1.0), torch.tensor(math.nan)
    with pytest.raises(DivergenceError, match=r"second .* in update 5;"):
        for update, (first, second) in enumerate([(good, good), (good, bad), (bad, good)], 4):
            guard.update = update
            guard.check("first", first)
            guard.check("second", second)
        guard.read()
