"""The work of one update, counted: what would make it slower fails here, on any machine."""

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from autograd.backend import NUMPY
from autograd.engine import apply as engine
from sac.agent.agent import SACAgent
from sac.config import AgentConfig
from scripts.benchmarks.workers.products import recorded_products
from tests.sac.agents_for_tests import make_batch

BATCH, WIDTH, OBSERVATIONS, ACTIONS = 32, 24, 3, 2


@pytest.fixture
def agent() -> SACAgent:
    result = SACAgent(
        spaces.Box(-1, 1, (OBSERVATIONS,), np.float32),
        spaces.Box(-1, 1, (ACTIONS,), np.float32),
        AgentConfig(hidden_sizes=(WIDTH, WIDTH)),
        compile="never",
    )
    for seed in range(3):
        result.update(make_batch(result, seed, BATCH))
    return result


def update(agent: SACAgent) -> None:
    agent.update(make_batch(agent, 9, BATCH))


def counted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> list[tuple[Any, ...]]:
    """The arguments of all calls of a function from here on."""
    calls: list[tuple[Any, ...]] = []
    original = getattr(owner, name)

    def counting(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, counting)
    return calls


def test_products(agent: SACAgent) -> None:
    """Five forwards of two critics or a policy, and the gradients that somebody needs, no more."""
    products = recorded_products(lambda: update(agent))
    shapes = Counter((*a.shape, b.shape[1]) for a, b, _ in products)
    pair = OBSERVATIONS + ACTIONS
    assert shapes == {
        (BATCH, WIDTH, WIDTH): 8 + 2 + 2 + 1,  # forwards; back: critics, minimum, policy
        (WIDTH, BATCH, WIDTH): 3,  # the middle weights of both critics and the policy
        (BATCH, OBSERVATIONS, WIDTH): 2,
        (BATCH, pair, WIDTH): 6,
        (BATCH, WIDTH, 2 * ACTIONS): 2,
        (BATCH, WIDTH, 1): 6,
        (WIDTH, BATCH, pair): 2,
        (WIDTH, BATCH, OBSERVATIONS): 1,
        (2 * ACTIONS, BATCH, WIDTH): 1,
        (1, BATCH, WIDTH): 2,
        (BATCH, 2 * ACTIONS, WIDTH): 1,
        (BATCH, WIDTH, ACTIONS): 2,  # the gradient of the action, through both critics
    }


def test_nodes(agent: SACAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = counted(monkeypatch, engine, "record")
    update(agent)
    assert not nodes  # a program takes the update
    agent._learn(*agent.transitions(make_batch(agent, 9, BATCH))[:-1])
    assert 0 < len(nodes) <= 13, Counter(args[0].name for args in nodes)


def test_passes_over_parameters(agent: SACAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adam is a call for the policy and one for all soft Q networks, as are the targets' steps."""
    steps, moves = (counted(monkeypatch, NUMPY, name) for name in ("adam_", "lerp_"))
    update(agent)
    sizes = {args[0][0].size for args in steps}
    assert len(steps) == 3 and len(moves) == 1  # the third is alpha's
    assert moves[0][0] is agent.critic.target_soft_q_nets.flat._array
    for leaf in (agent.policy_net.net.flat, agent.critic.soft_q_nets.flat):
        assert leaf.numel() in sizes


def test_large_arrays_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new array of hundreds of kilobytes costs a fault for each of its pages."""
    agent = SACAgent(
        spaces.Box(-1, 1, (OBSERVATIONS,), np.float32),
        spaces.Box(-1, 1, (ACTIONS,), np.float32),
        AgentConfig(hidden_sizes=(256, 256)),
        compile="never",
    )
    for seed in range(3):
        agent.update(make_batch(agent, seed, 256))
    before = large_memories()
    assert before
    agent.update(make_batch(agent, 9, 256))
    assert large_memories() == before


def large_memories() -> set[int]:
    """The identities of all large memories: of those in use, and of those that wait."""
    workspace = NUMPY._workspace
    lent = [loan.memory for loan in workspace._loans.values()]
    return set(map(id, itertools.chain(lent, *workspace._waiting.values())))
