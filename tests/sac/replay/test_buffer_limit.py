"""The largest buffer is the same for the configuration, its --help and the replay."""

from sac.config.train import BUFFER_LIMIT
from sac.replay.buffer import MAX_CAPACITY


def test_configuration_takes_what_the_replay_takes() -> None:
    assert BUFFER_LIMIT == MAX_CAPACITY
