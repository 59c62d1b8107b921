"""Train this library's agent with a buffer that is full from the start, as late in a long run."""

import argparse
from typing import Any
from unittest.mock import patch

from sac.config import Config
from sac.replay_buffer import ReplayBuffer
from sac.trainer import train
from sac.training_loop import TrainingLoop

from .ours import fill


def main() -> None:
    """Train as the file given by --config says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    config = Config.load(parser.parse_args().config)
    build = TrainingLoop.__init__

    def build_and_fill(loop: TrainingLoop, *arguments: Any) -> None:
        build(loop, *arguments)
        replay_buffer: ReplayBuffer = loop.replay_buffer
        fill(replay_buffer, loop.agent, config.train.buffer_size)

    with patch.object(TrainingLoop, "__init__", build_and_fill):
        train(config)


if __name__ == "__main__":
    main()
