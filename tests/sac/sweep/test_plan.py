"""Which processes a sweep starts, and how many threads each takes."""

from typing import Any

import pytest

from sac.config import Config
from sac.errors import ConfigError
from sac.sweep import plan
from sac.sweep.plan import plan_seeds
from sac.threads import BLAS_VARIABLES


@pytest.fixture(autouse=True)
def machine_of_eight_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in BLAS_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(plan, "processors", lambda: 8)


def config_of(width: int) -> Config:
    agent: dict[str, Any] = {"hidden_sizes": [width, width]}
    return Config.from_dict({"env": {"id": "CartPole-v1"}, "agent": agent})


@pytest.mark.parametrize(
    ("width", "seeds", "workers", "expected", "threads"),
    [
        (256, 3, 2, 2, "4"),
        (256, 3, 16, 3, "2"),
        (256, 3, None, 3, "2"),
        (256, 20, None, 8, "1"),
        (256, 20, 20, 20, "1"),
        (64, 2, 2, 2, "1"),
    ],
)
def test_processes_share_the_processors(
    width: int, seeds: int, workers: int | None, expected: int, threads: str
) -> None:
    planned = plan_seeds(config_of(width), range(seeds), workers, ["train"])
    assert planned.workers == expected
    assert planned.variables == {"OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}


def test_threads_that_the_user_has_chosen_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert plan_seeds(config_of(256), [0], 1, ["train"]).variables == {}


def test_arguments_of_a_run() -> None:
    planned = plan_seeds(config_of(64), [4, 2], 1, ["train", "--name", "x"])
    assert list(planned.commands) == ["seed 4", "seed 2"]
    assert planned.commands["seed 2"] == ["train", "--name", "x", "--seed", "2"]


def test_seed_that_the_configuration_refuses() -> None:
    with pytest.raises(ConfigError, match="seed"):
        plan_seeds(config_of(64), [0, -1], 1, ["train"])
