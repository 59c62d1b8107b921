"""The size of gradients, by Adam's running mean of their squares, whatever its beta."""

from typing import Any

import numpy as np
import pytest

from sac.config import Config
from sac.diagnosis.evidence import Evidence
from sac.diagnosis.network_checks import gradients
from sac.metrics.history import History
from tests.sac.agents_for_tests import make_agent, make_batch


@pytest.mark.parametrize("beta", [0.0, 0.9, 0.99999])
def test_norms_do_not_depend_on_adams_second_beta(beta: float) -> None:
    """After a single step, the mean of squares is that of its gradients."""
    texts = []
    for second in (0.999, beta):
        keys: dict[str, Any] = {"adam_betas": [0.9, second]}
        agent = make_agent(**keys)
        agent.update(make_batch(agent))
        config = Config.from_dict({"agent": keys})
        evidence = Evidence(config, agent, 100, History({"step": np.empty(0)}), None)
        texts.append(gradients(evidence).text)
    assert texts[0] == texts[1]
