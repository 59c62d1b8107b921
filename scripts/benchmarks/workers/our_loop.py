"""Train and print, as JSON, the seconds that each part of a step of the training loop takes.

Medians over the steps in which the agent learns, each part without the parts that it calls. In a
real training: there the caches hold the update's numbers, not the loop's.
"""

import argparse
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from sac.agent.agent import SACAgent
from sac.config import Config
from sac.environments import VectorEnvironment
from sac.environments.rebuild.recorder import Recorder
from sac.environments.stepping.sync import SyncSteps
from sac.replay.buffer import ReplayBuffer
from sac.replay.rings import Rings
from sac.training.collector import Collector
from sac.training.loop import TrainingLoop
from sac.training.train import train

LEARNING_STARTS = 100
WARM_UP_STEPS = 200  # that learn, and are not counted

# Where the time goes, the loop's own apart: the part, and the functions that belong to it.
PARTS: dict[str, list[tuple[type[Any], str]]] = {
    "environment": [(SyncSteps, "step"), (Recorder, "step")],
    "vector environment": [(VectorEnvironment, "step")],
    "acting": [(SACAgent, "explore")],
    "collector": [(TrainingLoop, "_collect"), (Collector, "collect")],
    "replay add": [(Rings, "add")],
    "replay sample": [(ReplayBuffer, "sample")],
    "update": [(SACAgent, "update")],
    "around the update": [(TrainingLoop, "_update")],
}
REST = "progress and due checks"


class Stopwatches:
    """Adds up, step by step, the time of each part without that of the parts that it calls."""

    def __init__(self) -> None:
        self.steps: list[dict[str, float]] = []
        self._now: dict[str, float] = defaultdict(float)  # of this step
        self._running = [REST]
        self._since = time.perf_counter()

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with its time noted under the name of a part."""

        def call(*arguments: Any, **settings: Any) -> Any:
            self._now[self._running[-1]] += time.perf_counter() - self._since
            self._running.append(part)
            self._since = time.perf_counter()
            try:
                return function(*arguments, **settings)
            finally:
                self._now[self._running.pop()] += time.perf_counter() - self._since
                self._since = time.perf_counter()

        return call

    def stepping(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function that begins each step, with a note of the step before."""

        def call(*arguments: Any, **settings: Any) -> Any:
            self._now[REST] += time.perf_counter() - self._since
            self.steps.append(self._now)
            self._now = defaultdict(float)
            self._since = time.perf_counter()
            return function(*arguments, **settings)

        return call


def main() -> None:
    """Train as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--env", required=True)
    parser.add_argument("--width", type=int, required=True)
    parser.add_argument("--batch_size", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--device", required=True)
    arguments = parser.parse_args()
    first = LEARNING_STARTS + WARM_UP_STEPS
    config = Config.from_dict(
        {
            "env": {"id": arguments.env},
            "agent": {"hidden_sizes": [arguments.width] * 2},
            "train": {
                "total_steps": first + arguments.steps,
                "learning_starts": LEARNING_STARTS,
                "batch_size": arguments.batch_size,
            },
            "evaluation": {"every_steps": 0, "episodes": 1},
            "logging": {"root": "runs"},
            "device": arguments.device,
        }
    )
    watches = Stopwatches()
    with ExitStack() as stack:
        for part, functions in PARTS.items():
            for owner, name in functions:
                timed = watches.timed(part, getattr(owner, name))
                stack.enter_context(patch.object(owner, name, timed))
        step = watches.stepping(TrainingLoop._collect)
        stack.enter_context(patch.object(TrainingLoop, "_collect", step))
        train(config)
    steps = watches.steps[first + 1 :]
    names = [*PARTS, REST]
    print(json.dumps({n: statistics.median(step[n] for step in steps) for n in names}))


if __name__ == "__main__":
    main()
