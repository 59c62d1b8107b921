"""An evaluation episode as an animated image in TensorBoard."""

import struct
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from sac.agent.agent import SACAgent
from sac.config import EnvConfig
from sac.errors import EnvironmentSetupError
from sac.evaluation.evaluate import Watch, film_episode

TAG = "evaluation/episode"
MAX_FRAMES, MAX_WIDTH = 100, 240  # they bound the event file of a long run
GIF_SIZE = struct.Struct("<6xHH")


def episode_gif(agent: SACAgent, config: EnvConfig, seed: int, watch: Watch) -> bytes:
    """Return a GIF of the first episode of an evaluation; raise if it can't be drawn."""
    if not config.id:
        raise EnvironmentSetupError("an environment given as an object can't be made again")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "episode.gif"
        film = partial(film_episode, max_width=MAX_WIDTH, max_frames=MAX_FRAMES)
        film(agent, config, path, seed=seed, watch=watch)
        return path.read_bytes()


def image_value(gif: bytes) -> Any:
    """Return a Summary.Value with an animated image."""
    from tensorboard.compat.proto import summary_pb2

    width, height = GIF_SIZE.unpack_from(gif)
    image = summary_pb2.Summary.Image(
        width=width, height=height, colorspace=3, encoded_image_string=gif
    )
    return summary_pb2.Summary.Value(tag=TAG, image=image)
