"""Checks of the replay's batch on batches made for them."""

from typing import Any

import numpy as np
import pytest

from sac.config import Config
from sac.diagnosis.data_checks import rewards
from sac.diagnosis.evidence import Evidence
from sac.replay.batch import Batch


@pytest.mark.parametrize(
    ("gamma", "ends", "state"), [(0.99, 10, "fine"), (0.99, 0, "ill"), (0, 10, "ill")]
)
def test_the_end_of_an_episode_is_news_where_the_discount_tells(
    gamma: float, ends: int, state: str
) -> None:
    zeros = np.zeros((100, 1), np.float32)
    discount = np.full((100, 1), gamma, np.float32)
    discount[:ends] = 0
    agent: Any = None
    evidence = Evidence(
        config=Config.from_dict({"agent": {"gamma": gamma}}),
        agent=agent,
        step=2000,
        history={"rollout/episode_return": np.zeros(10)},
        batch=Batch(
            observation=zeros, action=zeros, reward=zeros, discount=discount, next_observation=zeros
        ),
    )
    assert rewards(evidence).state == state
