"""Train this library's agent with a buffer that is full from the start."""

import argparse

from sac.config import Config
from sac.training.train import train

from .filling import full_from_the_start


def main() -> None:
    """Train as the file given by --config says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", required=True)
    config = Config.load(parser.parse_args().config)
    with full_from_the_start():
        train(config)


if __name__ == "__main__":
    main()
