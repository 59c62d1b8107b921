"""Trainings that are really killed, by SIGKILL, and then go on as if they never had been."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sac.config.keys import merge
from sac.training.train import train
from tests.sac.tiny_runs import checkpoint_steps, tiny_config
from tests.sac.training.test_exact_resume import MODULE, NOISY, assert_same_runs

# protobuf's generated code, not ours
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ROOT = Path(__file__).parents[3]
# Kills the process when it is about to make a transition after so many.
KILLED = """
import os, signal, sys
from sac import Config, train
from sac.training.collector import Collector

collect = Collector.collect

def collect_or_die(self, *, random):
    if self._transitions >= int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return collect(self, random=random)

if __name__ == "__main__":
    Collector.collect = collect_or_die
    if sys.argv[1].endswith(".yaml"):
        train(Config.load(sys.argv[1]))
    else:
        train(resume=sys.argv[1], trust=True)
"""
CASES: dict[str, dict[str, Any]] = {
    "pendulum": {"env": {"id": "Pendulum-v1"}, "train": {"updates_per_step": 0.25}},
    "cartpole-async": {
        "env": {"num_envs": 3, "vectorization": "async"},
        "train": {"updates_per_step": 2, "buffer_size": 25},
    },
    "noisy": {"env": {"id": f"{MODULE}:{NOISY}", "num_envs": 2}},
}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "killed.py"
    path.write_text(KILLED, encoding="utf-8")
    return path


def run_until_killed(script: Path, what: Path, step: int) -> None:
    done = subprocess.run(
        [sys.executable, str(script), str(what), str(step)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert "Traceback" not in done.stderr  # of workers that lose their parent


@pytest.mark.parametrize(
    ("case", "kills"), [("pendulum", [9, 47]), ("cartpole-async", [34, 53]), ("noisy", [25])]
)
def test_killed_and_resumed(case: str, kills: list[int], script: Path, tmp_path: Path) -> None:
    """The first kill of Pendulum is before its first checkpoint but that of the beginning."""
    changes = merge(CASES[case], {"name": "whole"})
    undisturbed = train(tiny_config(tmp_path / "whole", changes)).run_directory
    config = tiny_config(tmp_path / "killed", changes)
    file = tmp_path / "whole.yaml"
    file.write_text(config.to_yaml(), encoding="utf-8")
    run_until_killed(script, file, kills[0])
    (run,) = (tmp_path / "killed").iterdir()
    for step in kills[1:]:
        run_until_killed(script, run, step)
    assert max(checkpoint_steps(run), default=0) < kills[-1]
    train(resume=run, trust=True)
    assert_same_runs(undisturbed, run)
