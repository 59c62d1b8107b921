"""Train with a full buffer and print, as JSON, what the checkpoints took.

The environment is where the pauses are seen: a step that follows a checkpoint comes late.
"""

import argparse
import json
import statistics
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from sac.config import Config
from sac.training.train import train

from .filling import full_from_the_start

EPISODE_STEPS = 1000
OWN_WORK = Path("/proc/self/io")


class ClockedEnvironment(gymnasium.Env[Any, Any]):
    """Random observations in the sizes of HalfCheetah-v5; remembers when each step came."""

    observation_space = spaces.Box(-np.inf, np.inf, (17,), np.float64)
    action_space = spaces.Box(-1, 1, (6,), np.float32)

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.written: list[int] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Start another episode."""
        super().reset(seed=seed)
        self._steps = 0
        return self._observation(), {}

    def step(self, action: Any) -> Any:
        """Note the time and what this process has written so far."""
        self.seconds.append(time.perf_counter())
        self.written.append(_written_bytes())
        self._steps += 1
        observation = self._observation()
        return observation, float(observation[0]), False, self._steps == EPISODE_STEPS, {}

    def _observation(self) -> np.ndarray:
        return self.np_random.standard_normal(17)


def _written_bytes() -> int:
    """Bytes of the pages that this process has sent to a disk."""
    if not OWN_WORK.exists():
        return 0
    lines = (line.split(": ") for line in OWN_WORK.read_text().splitlines())
    return int(dict(lines)["write_bytes"])


def main() -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser()
    for name in ("transitions", "every", "checkpoints", "training_steps"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--device", required=True)
    arguments = parser.parse_args()
    steps = arguments.every * (arguments.checkpoints + 1)
    # Hardly an update: what a checkpoint takes does not depend on them, but what it holds does.
    rare = {"total_steps": steps, "learning_starts": 500, "updates_per_step": 0.001}
    times = _train(rare | {"buffer_size": arguments.transitions}, arguments, is_full=True)
    gaps = np.diff(times.seconds)
    usual = float(np.median(gaps))
    # The last one is left out, after which no step comes.
    after = range(arguments.every - 1, steps - 1, arguments.every)
    written = [times.written[i + 1] for i in after]
    often = {"total_steps": arguments.training_steps, "learning_starts": 100}
    training = np.diff(_train(often, arguments, is_full=False).seconds)[200:]
    document = {
        "pause_seconds": [float(gaps[i]) - usual for i in after],
        "written_bytes": np.diff(written).tolist(),
        "step_seconds": statistics.median(training.tolist()),
    }
    print(json.dumps(document))


def _train(
    settings: dict[str, Any], arguments: argparse.Namespace, *, is_full: bool
) -> ClockedEnvironment:
    config = Config.from_dict(
        {
            "train": settings,
            "evaluation": {"every_steps": 0, "episodes": 1},
            "checkpoint": {"every_steps": arguments.every},
            # Where it falls together with a checkpoint it would be taken for part of it.
            "logging": {"root": "runs", "every_steps": 7 * arguments.every},
            "device": arguments.device,
        }
    )
    made: list[ClockedEnvironment] = []

    def make() -> ClockedEnvironment:
        made.append(ClockedEnvironment())
        return made[-1]

    with full_from_the_start() if is_full else nullcontext():
        train(config, env=make)
    return made[0]  # the other one is for evaluation


if __name__ == "__main__":
    main()
