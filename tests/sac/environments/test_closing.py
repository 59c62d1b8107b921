"""Environments that can't be closed: what they were for is done, and others are still closed."""

from pathlib import Path

import pytest

from sac import evaluate, train
from sac.config import EnvConfig
from sac.environments import make_vector_environment
from sac.environments.probe import checker_fault
from tests.sac.environments_for_tests import CopyingCountingEnv
from tests.sac.tiny_runs import MODULE, NOISY, NoisyEnv, tiny_config

FAILS = pytest.warns(RuntimeWarning, match="closing .*Noisy.* failed: ConnectionError: the port")


def test_others_are_closed_too() -> None:
    good = CopyingCountingEnv()
    makers = iter([NoisyEnv(), good])
    environment = make_vector_environment(EnvConfig(num_envs=2), source=lambda: next(makers))
    with FAILS:
        environment.close()
    assert good.is_closed


def test_results_are_kept(tmp_path: Path) -> None:
    with FAILS:
        result = train(tiny_config(tmp_path, {"env": {"id": f"{MODULE}:{NOISY}"}}))
    assert result.step == result.total_steps == 60
    with FAILS:
        assert evaluate(result.run_directory, episodes=2).episodes == 2


@pytest.mark.filterwarnings("ignore:closing")  # where the spaces are asked for, in this process
def test_workers_end_all_the_same() -> None:
    config = EnvConfig(f"{MODULE}:{NOISY}", num_envs=2, vectorization="async")
    environment = make_vector_environment(config)
    environment.reset()
    environment.close()


def test_checker_tells_what_it_found() -> None:
    with FAILS:
        assert checker_fault(EnvConfig(f"{MODULE}:{NOISY}")) is not None
