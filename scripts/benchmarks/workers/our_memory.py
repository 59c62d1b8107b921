"""Train this library's agent with a buffer that is full from the start, as late in a long run."""

import argparse
from typing import Any
from unittest.mock import patch

from sac.config import Config
from sac.replay_buffer import ReplayBuffer
from sac.trainer import train

from .filling import fill


def main() -> None:
    """Train as the file given by --config says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    config = Config.load(parser.parse_args().config)
    build = ReplayBuffer.__init__

    def build_full(self: ReplayBuffer, capacity: int, num_envs: int, *layout: Any) -> None:
        build(self, capacity, num_envs, *layout)
        fill(self, capacity, *layout[:4])

    with patch.object(ReplayBuffer, "__init__", build_full):
        train(config)


if __name__ == "__main__":
    main()
