"""A space of one action, in which a policy has nothing to learn: that is no illness."""

import numpy as np
import pytest
from gymnasium import spaces

from sac.config import Config
from sac.diagnosis.evidence import Evidence
from sac.diagnosis.network_checks import gradients
from sac.diagnosis.policy_checks import learning
from sac.metrics.history import History
from tests.sac.agents_for_tests import make_agent, make_batch


@pytest.mark.parametrize(
    ("space", "has_choice"),
    [
        (spaces.Discrete(1), False),
        (spaces.MultiDiscrete([1, 1]), False),
        (spaces.MultiDiscrete([1, 2]), True),
        (spaces.Discrete(2), True),
        (spaces.Box(-1, 1, (1,)), True),
    ],
)
def test_policy_is_judged_where_it_has_a_choice(space: spaces.Space, has_choice: bool) -> None:
    agent = make_agent(space)
    agent.update(make_batch(agent))
    history = {
        "step": np.arange(5.0),
        "rollout/episode_return": np.ones(5),
        "eval/mean_return": np.ones(5),
    }
    evidence = Evidence(Config(), agent, 100, History(history), None)
    result = gradients(evidence)
    assert result.state == "fine"
    assert ("(the policy)" in result.text) == has_choice
    assert (learning(evidence).state == "unknown") != has_choice
