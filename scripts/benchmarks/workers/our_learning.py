"""Train a shipped configuration with one seed, or go on with that, and write its line of JSON."""

import argparse
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import gymnasium
import numpy as np

from sac import Config, SACAgent, evaluate, train
from sac.disk.encoding import read_document
from sac.plots.runs import elapsed_seconds, read_metric
from sac.run.layout import METRICS_FILE, VERSIONS_FILE
from sac.terminal.interrupt import SIGNAL_STATUS
from scripts.benchmarks.family import PEER_TASKS, TASKS, study_config
from scripts.benchmarks.learning import (
    EPISODES,
    EVALUATION_SEED,
    LINES,
    Line,
    Lines,
    digest,
    load_config,
    settings_of,
)
from scripts.benchmarks.process import ROOT
from scripts.benchmarks.report import processor


def main() -> int:
    """Do what the arguments say and return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True, help="of configs/, or a study of the family")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--runs", type=Path, required=True, help="folder for the run directories")
    parser.add_argument("--lines", type=Path, default=LINES, help="file that the line goes to")
    arguments = parser.parse_args()
    is_study = "/" in arguments.config
    config = (study_config if is_study else load_config)(arguments.config)
    name = f"{config.name}-{arguments.seed}-{digest(settings_of(config))}"
    root = arguments.runs.absolute() / name
    config = config.merged(
        {"seed": arguments.seed, "device": "cpu", "logging": {"root": str(root)}}
    )
    begun = sorted(file.parent for file in root.glob("*/config.yaml"))
    result = train(resume=begun[-1]) if begun else train(config)
    if result.interrupted_by is not None:
        return SIGNAL_STATUS + result.interrupted_by
    processor_seconds = None if begun else round(time.process_time(), 1)
    line = _line(arguments.config, config, result.run_directory, processor_seconds)
    Lines(arguments.lines).add(line, settings_of(config))
    print(f"return {line.mean_return:.1f}")
    return 0


def _line(name: str, config: Config, run: Path, processor_seconds: float | None) -> Line:
    returns = _returns(name, run)
    steps, values = read_metric(run / METRICS_FILE, "eval/mean_return")
    total_steps = config.train.total_steps
    *seconds, in_all = elapsed_seconds(run, np.append(steps, total_steps)).tolist()
    return Line(
        name,
        config.seed,
        mean_return=round(float(np.mean(returns)), 2),
        lowest_return=round(min(returns), 2),
        steps=total_steps,
        seconds=round(in_all, 1),
        curve=[
            (step, round(value, 2), round(second, 1))
            for step, value, second in zip(steps.tolist(), values.tolist(), seconds, strict=True)
        ],
        settings=digest(settings_of(config)),
        commit=_commit(),
        date=datetime.now(UTC).date().isoformat(),
        machine=processor(),
        versions=dict(read_document(run / VERSIONS_FILE)),
        processor_seconds=processor_seconds,
    )


def _returns(name: str, run: Path) -> list[float]:
    """Return those of the deterministic policy after the last step."""
    task = name.split("/")[0]
    if task in PEER_TASKS:
        return peers_returns(run, TASKS[task].env_id)
    result = evaluate(run, episodes=EPISODES, seed=EVALUATION_SEED, checkpoint="last", device="cpu")
    return result.returns


def peers_returns(run: Path, env_id: str) -> list[float]:
    """Play the episodes that the peers play: how one of Pendulum begins decides half of its return.

    SB3's `evaluate_policy` resets once more, without a seed, an environment that had the seed.
    """
    agent, env = SACAgent.load(run, checkpoint="last", device="cpu"), gymnasium.make(env_id)
    env.reset(seed=EVALUATION_SEED)
    returns = []
    for _ in range(EPISODES):
        observation, _ = env.reset()
        returns.append(0.0)
        is_over = False
        while not is_over:
            action = agent.act(observation, deterministic=True)
            observation, reward, terminated, truncated, _ = env.step(action)
            returns[-1] += float(reward)
            is_over = terminated or truncated
    return returns


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
