"""Train a shipped configuration until an evaluation reaches a return; print the step as JSON."""

import argparse
import json
import signal
from unittest.mock import patch

from sac import train
from sac.metrics.logger import Logger
from scripts.benchmarks.learning import load_config


def main() -> None:
    """Train as the arguments say; the end of this process is the moment that counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--target", type=float, required=True)
    arguments = parser.parse_args()
    config = load_config(arguments.config).merged({"seed": arguments.seed, "device": "cpu"})
    reached: list[int] = []
    log = Logger.log

    def watch(logger: Logger, step: int, metrics: dict[str, float]) -> None:
        log(logger, step, metrics)
        if metrics.get("eval/mean_return", -float("inf")) >= arguments.target:
            reached.append(step)
            signal.raise_signal(signal.SIGTERM)  # as a user would end it

    with patch.object(Logger, "log", watch):
        train(config)
    print(json.dumps({"step": reached[0] if reached else None}))


if __name__ == "__main__":
    main()
