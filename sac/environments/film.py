"""Films of episodes: the environment's pictures, with step and return drawn in."""

import contextlib
import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from sac.config import EnvConfig, WrapperConfig
from sac.disk import files
from sac.disk.places import check_file_place
from sac.environments.explain import explained
from sac.errors import ConfigError, EnvironmentSetupError, SACError, install_command

PACKAGES = {".gif": ("PIL",), ".mp4": ("PIL", "imageio_ffmpeg")}
DEFAULT_FPS = 30
# Browsers play a gif no faster, and each of its frames takes some ten kilobytes.
MAX_GIF_FPS = 25
MAX_GIF_WIDTH = 400


def check_video(path: Path) -> None:
    """Raise SACError, before a long evaluation, if no film can be written to `path`."""
    packages = PACKAGES.get(path.suffix.lower())
    if packages is None:
        raise ConfigError(f"--video: expected a name that ends in .mp4 or .gif, got '{path}'")
    check_file_place(path, "--video")
    if any(importlib.util.find_spec(package) is None for package in packages):
        raise EnvironmentSetupError(
            f"a {path.suffix} film needs a package that is not installed: "
            f"{install_command('video')}"
        )


def filmed(config: EnvConfig, path: Path, **bounds: int) -> EnvConfig:
    """Return the configuration of one environment with an EpisodeFilm, which has these bounds."""
    film = f"{EpisodeFilm.__module__}.{EpisodeFilm.__name__}"
    return replace(
        config.alone(),
        kwargs={**config.kwargs, "render_mode": "rgb_array"},
        wrappers=(*config.wrappers, WrapperConfig(film, {"path": str(path), **bounds})),
        vectorization="sync",
    )


class EpisodeFilm(gymnasium.Wrapper):
    """Films the first whole episode to a file, which appears when the episode has ended.

    `max_width` and `max_frames` bound a .gif, which then drops frames evenly over the episode.
    EnvironmentSetupError if the environment draws no pictures, SACError if the file can't be
    written.
    """

    def __init__(
        self,
        env: gymnasium.Env,
        path: str,
        max_width: int = MAX_GIF_WIDTH,
        max_frames: int | None = None,
    ) -> None:
        super().__init__(env)
        self._path = Path(path)
        self._max_width, self._max_frames = max_width, max_frames
        # With the same ending, which chooses the format.
        self._temporary = self._path.with_name(files.TEMPORARY_PREFIX + self._path.name)
        self._writer: _Gif | _Mp4 | None = None
        self._is_done = False
        self._step, self._return = 0, 0.0

    def reset(self, **arguments: Any) -> tuple[Any, dict[str, Any]]:
        """Reset, and film the first frame."""
        observation, info = self.env.reset(**arguments)
        self._step, self._return = 0, 0.0
        self._film()
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step, and film the next frame."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._step += 1
        self._return += float(reward)
        self._film()
        if (terminated or truncated) and self._writer is not None:
            with self._writing():
                self._writer.close()
                files.rename(self._temporary, self._path)
            self._writer, self._is_done = None, True
        return observation, reward, terminated, truncated, info

    def close(self) -> None:
        """Close; an unfinished episode leaves no file."""
        self._discard()
        self.env.close()

    def _discard(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.discard()
            with contextlib.suppress(OSError):
                self._temporary.unlink(missing_ok=True)
        self._writer = None

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Tell an error of the disk as one of the film, not of the environment that it is about."""
        try:
            yield
        except OSError as error:
            self._discard()
            reason = error.strerror or error
            raise SACError(f"Can't write the film '{self._path}': {reason}.") from error

    def _film(self) -> None:
        if self._is_done or (self._writer is not None and self._writer.skips()):
            return
        frame = self._drawn()
        if self._writer is None:
            fps = float(self.env.metadata.get("render_fps", DEFAULT_FPS))
            if self._path.suffix.lower() == ".gif":
                self._writer = _Gif(self._temporary, fps, self._max_width, self._max_frames)
            else:
                self._writer = _Mp4(self._temporary, fps)
        with self._writing():
            self._writer.add(_labelled(frame, f"step {self._step}   return {self._return:.1f}"))

    def _drawn(self) -> np.ndarray:
        name = "the environment" if self.env.spec is None else self.env.spec.id
        frame: Any = None
        with explained(name), contextlib.suppress(NotImplementedError):
            frame = self.env.render()
        if not isinstance(frame, np.ndarray) or frame.ndim != 3 or frame.shape[-1] != 3:
            raise EnvironmentSetupError(
                f"{name} draws no pictures: expected an array (height, width, 3) from render() "
                f"with render_mode='rgb_array', got {frame!r:.100}"
            )
        return frame.astype(np.uint8)


def _labelled(frame: np.ndarray, text: str) -> Any:
    """Return the frame as a Pillow image, with text that is legible on any background."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(frame)
    font = ImageFont.load_default(size=max(12, picture.height // 20))
    draw = ImageDraw.Draw(picture)
    draw.text((8, 4), text, fill="white", font=font, stroke_width=2, stroke_fill="black")
    return picture


class _Gif:
    def __init__(self, path: Path, fps: float, max_width: int, max_frames: int | None) -> None:
        self._path = path
        self._fps = fps
        self._max_width, self._max_frames = max_width, max_frames
        self._every = max(1, -(-int(fps) // MAX_GIF_FPS))
        self._count = 0
        self._pictures: list[Any] = []

    def skips(self) -> bool:  # the next frame, which need not be drawn
        self._count += 1
        return self._count % self._every != 0

    def add(self, picture: Any) -> None:
        picture.thumbnail((self._max_width, picture.height))
        self._pictures.append(picture.quantize(64))
        if self._max_frames is not None and len(self._pictures) > self._max_frames:
            del self._pictures[1::2]
            self._every *= 2

    def close(self) -> None:
        first, *others = self._pictures
        first.save(
            self._path,
            save_all=True,
            append_images=others,
            duration=round(1000 * self._every / self._fps),
            loop=0,
            optimize=False,
        )

    def discard(self) -> None:  # no file is open before the end
        self._pictures.clear()


class _Mp4:
    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._fps = fps
        self._frames: Any = None

    def skips(self) -> bool:
        return False

    def add(self, picture: Any) -> None:
        # The codec halves the resolution of colours: both sides must be even.
        size = tuple(side - side % 2 for side in picture.size)
        if self._frames is None:
            import imageio_ffmpeg

            self._frames = imageio_ffmpeg.write_frames(
                str(self._path), size, fps=self._fps, quality=7, macro_block_size=2
            )
            self._frames.send(None)
        self._frames.send(np.ascontiguousarray(picture.crop((0, 0, *size))))

    def close(self) -> None:
        self._frames.close()

    def discard(self) -> None:
        if self._frames is not None:
            self._frames.close()
