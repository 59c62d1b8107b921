"""Learning does not depend on memory that is used again: the same bits with and without it."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from autograd.backend import NUMPY
from sac.agent.agent import SACAgent
from tests.sac.agents_for_tests import assert_same_bits, make_agent, make_batch, run_as_written

OBSERVATIONS = spaces.Box(-1.0, 1.0, (17,), np.float32)
ACTIONS: dict[str, spaces.Space] = {
    "continuous": spaces.Box(-1.0, 1.0, (6,), np.float32),
    "discrete": spaces.Discrete(4),
}
UPDATES = 3


def learned(actions: str, is_captured: bool) -> tuple[SACAgent, list[dict[str, Any]]]:
    """An agent with networks whose arrays are large enough to be used again, and its metrics."""
    agent = make_agent(ACTIONS[actions], OBSERVATIONS, hidden_sizes=(256, 256))
    if not is_captured:
        run_as_written(agent)
    metrics = [agent.update(make_batch(agent, seed, 256)) for seed in range(UPDATES)]
    return agent, metrics


@pytest.mark.parametrize("is_captured", [True, False], ids=["captured", "plain"])
@pytest.mark.parametrize("actions", ACTIONS)
def test_an_update_has_the_same_bits_on_memory_used_before(
    actions: str, is_captured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a count of references this failed on CPython 3.14 and later, where it is one lower."""
    agent, metrics = learned(actions, is_captured)
    assert is_captured == (agent._repeater.captured is not None)
    monkeypatch.setattr(NUMPY, "reused_empty", np.empty)
    other, expected = learned(actions, is_captured)
    for one, wanted in zip(metrics, expected, strict=True):
        assert list(one) == list(wanted)
        for name, value in wanted.items():
            np.testing.assert_array_equal(np.asarray(one[name]), np.asarray(value), err_msg=name)
    assert_same_bits(agent.state_dict(), other.state_dict())
