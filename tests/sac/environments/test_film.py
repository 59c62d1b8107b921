"""Films of episodes: whole, legible, and refused before any work where they can't be made."""

import gc
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from sac.disk import files
from sac.environments import film as video
from sac.environments.film import EpisodeFilm, check_video
from sac.errors import ConfigError, EnvironmentSetupError, SACError


class Painter(gymnasium.Env):
    """Draws a grey that gets lighter with each step; an episode has four of them."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    observation_space = spaces.Box(-1, 1, (1,))
    action_space = spaces.Box(-1, 1, (1,))
    render_mode = "rgb_array"
    size: Any = (101, 151)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.steps = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        return np.zeros(1, np.float32), 2.5, self.steps == 4, False, {}

    def render(self) -> Any:
        return np.full((*self.size, 3), 50 * self.steps, np.uint8)


def play(env: gymnasium.Env, steps: int = 4) -> None:
    env.reset()
    for _ in range(steps):
        env.step(np.zeros(1))


def frames(path: Path) -> list[np.ndarray]:
    with pytest.importorskip("PIL.Image").open(path) as film:
        found = []
        for index in range(film.n_frames):
            film.seek(index)
            found.append(np.asarray(film.convert("RGB")))
        return found


def test_film_shows_the_first_episode_whole(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    film = EpisodeFilm(Painter(), str(path))
    play(film, 3)
    assert not path.exists()
    play(film)
    content = path.read_bytes()
    play(film)
    film.close()
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_film_of_an_episode_from_its_reset_on(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    play(EpisodeFilm(Painter(), str(path)))
    shades = [int(np.median(frame)) for frame in frames(path)]
    np.testing.assert_allclose(shades, [0, 50, 100, 150, 200], atol=3)


def test_step_and_return_are_drawn_in(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    play(EpisodeFilm(Painter(), str(path)))
    for frame in frames(path):
        text = frame[:24]
        assert text.max() - text.min() > 45
        assert np.ptp(frame[40:].astype(int)) < 3
    first, last = (frame[:24] for frame in (frames(path)[0], frames(path)[-1]))
    assert ((first == 255) != (last == 255)).any(), "other numbers, other words"


def test_gif_plays_at_the_speed_of_the_environment(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for fps, milliseconds, count in ((10, 100, 5), (50, 40, 3), (100, 40, 2)):
        env = Painter()
        env.metadata = {"render_fps": fps}
        play(EpisodeFilm(env, str(tmp_path / "film.gif")))
        with image.open(tmp_path / "film.gif") as film:
            assert (film.info["duration"], film.n_frames) == (milliseconds, count)


# imageio-ffmpeg leaves the pipes of the processes that it ends to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_mp4_has_even_sides(tmp_path: Path) -> None:
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    play(EpisodeFilm(Painter(), str(tmp_path / "film.mp4")))
    reader = ffmpeg.read_frames(str(tmp_path / "film.mp4"))
    description = next(reader)
    assert description["size"] == (150, 100)
    assert sum(1 for _ in reader) == 5
    reader.close()
    gc.collect()  # within the reach of the filter


def test_episode_cut_short_leaves_no_file(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    film = EpisodeFilm(Painter(), str(tmp_path / "film.gif"))
    play(film, 2)
    film.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("picture", [None, "text", np.zeros((4, 4))])
def test_environment_that_draws_nothing_is_refused(tmp_path: Path, picture: Any) -> None:
    env = Painter()
    env.render = lambda: picture  # type: ignore[method-assign]
    with pytest.raises(EnvironmentSetupError, match="draws no pictures"):
        EpisodeFilm(env, str(tmp_path / "film.gif")).reset()


def test_disk_that_is_full_is_told_as_such_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("PIL")

    def refuse(source: Path, destination: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "rename", refuse)
    film = EpisodeFilm(Painter(), str(tmp_path / "film.gif"))
    with pytest.raises(SACError, match=r"Can't write the film '.*film\.gif': No space left"):
        play(film)
    film.close()
    assert not list(tmp_path.iterdir())


def test_missing_package_of_the_environment_names_its_extra(tmp_path: Path) -> None:
    def render() -> None:
        raise gymnasium.error.DependencyNotInstalled("pygame is not installed")

    env = Painter()
    env.render = render  # type: ignore[method-assign]
    with pytest.raises(EnvironmentSetupError, match=r"\[classic-control\]"):
        EpisodeFilm(env, str(tmp_path / "film.gif")).reset()


def test_output_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder.gif").mkdir()
    for name, message in (
        ("film.avi", r"\.mp4 or \.gif"),
        ("no/film.gif", "does not exist"),
        ("folder.gif", r"expected the name of a file, got the folder '.*folder\.gif'"),
    ):
        with pytest.raises(ConfigError, match=message):
            check_video(tmp_path / name)
    monkeypatch.setattr("sac.environments.film.importlib.util.find_spec", lambda name: None)
    with pytest.raises(EnvironmentSetupError, match=r'pip install -e "\.\[video\]"'):
        check_video(tmp_path / "film.gif")


def test_words_are_the_step_and_the_return_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("PIL")
    words = []

    def note(frame: np.ndarray, text: str) -> Any:
        words.append(text)
        return label(frame, text)

    label = video._labelled
    monkeypatch.setattr(video, "_labelled", note)
    play(EpisodeFilm(Painter(), str(tmp_path / "film.gif")), 4)
    assert (words[0], words[-1]) == ("step 0   return 0.0", "step 4   return 10.0")
