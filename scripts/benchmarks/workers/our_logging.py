"""Train with the default settings and print, as JSON, the seconds of the loop and of its logging.

What happens once, such as opening the files, is left out: it is no matter of the rate.
"""

import argparse
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

from sac.config import Config
from sac.metrics.logger import Logger
from sac.terminal.progress import Progress
from sac.training.loop import TrainingLoop
from sac.training.train import train

# Whatever a run would do without if nobody wanted to look at it.
LOGGING = {
    Logger: ("log", "text", "flush"),
    Progress: ("update", "message"),
    TrainingLoop: ("_log", "_count_episodes"),
}


class Stopwatch:
    """Adds up the time spent in functions, of which one may call another."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with a clock around it."""

        def call(*arguments: Any, **settings: Any) -> Any:
            self._depth += 1
            start = time.perf_counter()
            try:
                return function(*arguments, **settings)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.perf_counter() - start

        return call


def main() -> None:
    """Train for as many steps as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--device", required=True)
    arguments = parser.parse_args()
    config = Config.from_dict(
        {
            "env": {"id": "Pendulum-v1"},
            "train": {"total_steps": arguments.steps},
            "logging": {"root": "runs"},
            "device": arguments.device,
        }
    )
    loop, logging, run = Stopwatch(), Stopwatch(), TrainingLoop.run
    whole = loop.timed(lambda *arguments: iter(list(run(*arguments))))  # to its last report
    with ExitStack() as stack:
        for owner, names in LOGGING.items():
            for name in names:
                timed = logging.timed(getattr(owner, name))
                stack.enter_context(patch.object(owner, name, timed))
        stack.enter_context(patch.object(TrainingLoop, "run", whole))
        train(config)
    print(json.dumps({"seconds": loop.seconds, "logging_seconds": logging.seconds}))


if __name__ == "__main__":
    main()
