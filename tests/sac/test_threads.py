"""Small networks train on one thread of BLAS, unless the user has chosen otherwise."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sac import threads
from sac.config import Config
from sac.threads import BLAS_VARIABLES, blas_threads_for
from sac.training.train import train
from tests.sac.tiny_runs import tiny_config


def config_of(hidden_sizes: list[int]) -> Config:
    return Config.from_dict({"env": {"id": "C"}, "agent": {"hidden_sizes": hidden_sizes}})


def blas_threads() -> int:
    (count,) = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    return count


class Witness(gymnasium.Wrapper):
    """Notes how many threads BLAS has while the environment steps."""

    def __init__(self, seen: set[int]) -> None:
        super().__init__(gymnasium.make("CartPole-v1"))
        self.seen = seen

    def step(self, action: Any) -> Any:
        self.seen.add(blas_threads())
        return self.env.step(action)


@pytest.fixture(autouse=True)
def machine_of_two_processors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """BLAS as it is where nobody chose its threads."""
    for name in BLAS_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "processors", lambda: 2)
    with threadpool_limits(2, user_api="blas"):
        if blas_threads() != 2:
            pytest.skip("NumPy's BLAS has one thread here")
        yield


def test_training_of_small_networks_has_one_thread_and_gives_the_others_back(
    tmp_path: Path,
) -> None:
    seen: set[int] = set()
    train(tiny_config(tmp_path), env=lambda: Witness(seen))
    assert (seen, blas_threads()) == ({1}, 2)


def test_threads_are_given_back_after_an_error() -> None:
    with (
        pytest.raises(ValueError, match="unstable"),
        blas_threads_for(config_of([8]), is_compiled=False),
    ):
        raise ValueError("unstable")
    assert blas_threads() == 2


@pytest.mark.parametrize(
    ("hidden_sizes", "count"), [([64, 64], 1), ([], 1), ([256, 256], 2), ([8, 256], 2)], ids=str
)
def test_the_widest_layer_decides(hidden_sizes: list[int], count: int) -> None:
    with blas_threads_for(config_of(hidden_sizes), is_compiled=False):
        assert blas_threads() == count


@pytest.mark.parametrize("name", BLAS_VARIABLES)
def test_variable_that_the_user_has_set_stands(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "2")
    with blas_threads_for(config_of([8]), is_compiled=False):
        assert blas_threads() == 2


def test_limit_that_the_user_has_set_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "processors", lambda: 4)
    with blas_threads_for(config_of([8]), is_compiled=False):
        assert blas_threads() == 2


def test_mkl_takes_a_thread_for_each_core_by_itself() -> None:
    assert not threads._is_limited({"internal_api": "mkl", "num_threads": 1})
    assert threads._is_limited({"internal_api": "openblas", "num_threads": 1})


def test_threadpoolctl_is_imported_by_a_training_alone() -> None:
    code = "import sys, sac.training.train; print('threadpoolctl' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
