"""What stands between an evaluation and its environment sees each episode from end to end."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from sac.config import EnvConfig
from sac.diagnosis.witness import Witness
from sac.environments import make_vector_environment
from sac.evaluation.evaluate import run_episodes
from sac.evaluation.random_policy import RandomPolicy
from tests.sac.environments_for_tests import CopyingCountingEnv, CountingVectorEnv

GAMMA = 0.5
SOURCES: dict[str, Callable[[], Any]] = {
    "separate": CopyingCountingEnv,
    **{mode.name: functools.partial(CountingVectorEnv, 2, mode) for mode in AutoresetMode},
}


@pytest.mark.parametrize("source", SOURCES)
def test_episodes_are_seen_whole(source: str) -> None:
    config = EnvConfig("Counting", num_envs=2)
    environment = make_vector_environment(config, source=SOURCES[source], num_envs=2)
    witness = Witness(environment, GAMMA)
    policy = RandomPolicy(environment.action_codec)
    result = run_episodes(policy, witness, episodes=8, seed=0, deterministic=False)
    environment.close()
    assert len(witness.played) >= 8
    # Episodes take 1, 4, 2, 3 steps in turn, and step i is rewarded by i.
    own = {episode.length: episode for episode in witness.played}
    assert set(own) == {1, 2, 3, 4} and set(result.lengths) == set(own)
    for length, episode in own.items():
        expected = sum(GAMMA ** (i - 1) * i for i in range(1, length + 1))
        assert episode.discounted_return == pytest.approx(expected)
        assert episode.truncated == (length in (3, 4))
        late = [i for i in range(1, length + 1) if i > length // 2]
        assert episode.late_reward == pytest.approx(np.mean(late)) and episode.success is None
        assert episode.observation[2] == 0, "the first observation is that of a reset"
        assert episode.last_observation[2] == length
        assert episode.observation[1] == episode.last_observation[1], "of the same episode"
        assert -1 <= episode.action[0] <= 1
    assert witness.seconds_per_step is not None and witness.seconds_per_step > 0


def test_a_moment_of_another_kind_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 0.1, 1.0, 1.1, 2.0, 9.0])  # before and after each of three steps
    monkeypatch.setattr("time.perf_counter", lambda: next(moments))
    environment = make_vector_environment(EnvConfig("Counting"), source=CopyingCountingEnv)
    witness = Witness(environment, GAMMA)
    witness.reset(seed=0)
    for _ in range(3):
        witness.step(np.zeros((1, 1), np.float32))
    environment.close()
    assert witness.seconds_per_step == pytest.approx(0.1)


def test_nothing_is_told_before_the_first_step() -> None:
    environment = make_vector_environment(EnvConfig("Counting"), source=CopyingCountingEnv)
    witness = Witness(environment, GAMMA)
    assert witness.seconds_per_step is None and not witness.played
    np.testing.assert_array_equal(witness.reset(seed=3)[0, 2:], [0, 0])
    environment.close()
