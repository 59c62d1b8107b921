"""A script that uses the public names is typed as strictly as mypy can check."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import numpy as np

from sac import Batch, Callback, Config, Report, SACAgent, Trainer, evaluate, train


class Stop(Callback):
    def on_evaluation(self, report: Report) -> None:
        if report.evaluation is not None and report.evaluation.mean_return > 100:
            report.log({"my/return": report.evaluation.mean_return})
            report.stop("good enough")


config = Config.load("pendulum", {"train": {"total_steps": 1000}})
result = train(config, callbacks=[Stop()])
steps: int = result.step
with Trainer(config.merged({"seed": 1})) as trainer:
    for report in trainer:
        lengths: list[int] = [episode.length for episode in report.episodes]
        loss: float = report.metrics["train/policy_loss"]
mean: float = evaluate(result.run_directory, episodes=2).mean_return
agent = SACAgent.load(result.run_directory)
action = agent.act(np.zeros(3, np.float32), deterministic=True)
rows = np.zeros((2, 3), np.float32)
ones = np.ones((2, 1), np.float32)
batch = Batch(observation=rows, action=ones, reward=ones, discount=ones, next_observation=rows)
losses = agent.update(batch)
"""


def test_a_script_of_the_public_names_passes_strictly(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="a check of the extra dev")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    root = Path(__file__).parents[1]
    # A configuration of nobody, and silence on what the script imports: users see no more.
    options = ["--strict", "--config-file=", "--follow-imports=silent", "--no-error-summary"]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *options, f"--cache-dir={tmp_path}", str(script)],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert (checked.stdout, checked.returncode) == ("", 0), checked.stderr
