"""An evaluation episode as an animated image in TensorBoard."""

import struct
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sac.config import EnvConfig, WrapperConfig
from sac.errors import EnvironmentSetupError
from sac.evaluation.evaluate import run_episodes

if TYPE_CHECKING:
    from sac.agent.agent import SACAgent

TAG = "evaluation/episode"
# A picture's rate and size are bounded, so that a long run's event file is, too.
MAX_FRAMES = 100
MAX_WIDTH = 240
GIF_SIZE = struct.Struct("<6xHH")


def film_episode(agent: "SACAgent", config: EnvConfig, seed: int) -> bytes:
    """Return a GIF of the first episode that an evaluation with that seed plays.

    SACError, or whatever the environment raises, where it can't be drawn.
    """
    from sac.environments import make_vector_environment
    from sac.environments.film import EpisodeFilm, check_video

    if not config.id:
        raise EnvironmentSetupError("an environment that was given as an object can't be made anew")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "episode.gif"
        check_video(path)
        kwargs = {"path": str(path), "max_frames": MAX_FRAMES, "max_width": MAX_WIDTH}
        film = WrapperConfig(f"{EpisodeFilm.__module__}.{EpisodeFilm.__name__}", kwargs)
        drawn = replace(
            config,
            kwargs={**config.kwargs, "render_mode": "rgb_array"},
            wrappers=(*config.wrappers, film),
            num_envs=1,
            vectorization="sync",
        )
        with closing(make_vector_environment(drawn, seed=seed)) as environment:
            run_episodes(agent, environment, episodes=1, seed=seed, deterministic=True)
        return path.read_bytes()


def image_value(gif: bytes) -> Any:
    """Return a Summary.Value with an animated image."""
    from tensorboard.compat.proto import summary_pb2

    width, height = GIF_SIZE.unpack_from(gif)
    image = summary_pb2.Summary.Image(
        width=width, height=height, colorspace=3, encoded_image_string=gif
    )
    return summary_pb2.Summary.Value(tag=TAG, image=image)
