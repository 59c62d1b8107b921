"""What a run draws into its event file: at its rate, once a step, and without a trace elsewhere."""

import re
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sac.environments import film as video
from sac.insight.film import MAX_FRAMES, MAX_WIDTH, TAG
from sac.training.train import train
from tests.sac.environments_for_tests import DRAWING
from tests.sac.tiny_runs import assert_same_arrays, metrics, saved_arrays, tiny_config
from tests.sac.training.test_exact_resume import interrupted_run

# Steps with a checkpoint, without one, and a last one.
ENV = {"env": {"id": f"tests.sac.environments_for_tests:{DRAWING}"}}
RATES = {**ENV, "logging": {"histograms_every_steps": 15, "videos_every_steps": 25}}
NEVER = {**ENV, "logging": {"histograms_every_steps": 0, "videos_every_steps": 0}}
BYTES_OF_HISTOGRAMS = 30_000


def drawn(run: Path) -> dict[str, list[tuple[int, bytes]]]:
    """Steps and contents of the histograms and images of all event files, what they drop or not."""
    reader = EventAccumulator(str(run), purge_orphaned_data=False, size_guidance={"images": 0})
    reader.Reload()
    tags = reader.Tags()
    shown: dict[str, list[tuple[int, bytes]]] = {
        tag: [(e.step, e.tensor_proto.SerializeToString()) for e in reader.Tensors(tag)]
        for tag in tags["tensors"]
        if reader.summary_metadata[tag].plugin_data.plugin_name == "histograms"
    }
    for tag in tags["images"]:
        shown[tag] = [(e.step, e.encoded_image_string) for e in reader.Images(tag)]
    return shown


def steps_drawn(run: Path) -> dict[str, list[int]]:
    return {tag: [step for step, _ in contents] for tag, contents in drawn(run).items()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("PIL")
    root = tmp_path_factory.mktemp("undisturbed")
    return train(tiny_config(root, RATES)).run_directory


def test_at_the_rates_and_at_the_end(undisturbed: Path) -> None:
    steps = steps_drawn(undisturbed)
    assert steps.pop(TAG) == [25, 50, 60]
    # A hidden layer and an output layer of three networks, twice; action and logit; two Q values
    # with their errors, and the target.
    assert len(steps) == 2 * 6 + 2 + 4 + 1
    assert {*map(tuple, steps.values())} == {(15, 30, 45, 60)}


def test_run_is_the_same_without_them(undisturbed: Path, tmp_path: Path) -> None:
    run = train(tiny_config(tmp_path, NEVER)).run_directory
    assert not drawn(run)
    assert metrics(run, "time/") == metrics(undisturbed, "time/")
    for name in ("agent", "policy", "replay", "state"):
        assert_same_arrays(saved_arrays(run, name), saved_arrays(undisturbed, name))


def test_resumed_run_doubles_and_misses_nothing(
    undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = interrupted_run(monkeypatch, tmp_path, RATES, [33, 57])
    assert drawn(run) == drawn(undisturbed)
    assert metrics(run, "time/") == metrics(undisturbed, "time/")


def test_sizes_are_bounded(undisturbed: Path) -> None:
    shown = drawn(undisturbed)
    films = shown.pop(TAG)
    for step, _ in shown["q/q1"]:
        at_step = [len(content) for values in shown.values() for s, content in values if s == step]
        assert sum(at_step) < BYTES_OF_HISTOGRAMS
    assert all(len(film) < 4000 * MAX_FRAMES for _, film in films)


def test_film_shows_an_episode_of_the_evaluation(undisturbed: Path, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "film.gif"
    path.write_bytes(drawn(undisturbed)[TAG][-1][1])
    (length,) = [
        float(row["eval/mean_return"])  # CartPole gives 1 a step
        for row in metrics(undisturbed)
        if row["step"] == "60"
    ]
    with image.open(path) as film:
        assert film.width <= MAX_WIDTH
        shown = film.n_frames
        assert shown == 1 + length // 2  # 50 frames a second, of which browsers show 25
        assert film.info["duration"] == 40


# What can't be drawn is told once, and the training goes on.


class NoPictures(gymnasium.Env):
    """Has a render mode, and no method that draws."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    observation_space = action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(2, np.float32), {}

    def step(self, action: np.ndarray) -> Any:
        self.steps += 1
        return np.zeros(2, np.float32), 0.0, self.steps == 5, False, {}


NO_PICTURES = "NoPicturesForTests-v0"
MAKER: Any = NoPictures
gymnasium.register(NO_PICTURES, MAKER, disable_env_checker=True)
FILMED: dict[str, Any] = {"logging": {"videos_every_steps": 20, "histograms_every_steps": 0}}


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if "no videos" in line]


def test_environment_without_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("PIL")
    changes = {**FILMED, "env": {"id": f"{__name__}:{NO_PICTURES}"}}
    run = train(tiny_config(tmp_path, changes)).run_directory
    (line,) = told(capsys)
    assert re.match(
        r"no videos in TensorBoard \(logging.videos_every_steps\): .* no pictures", line
    )
    assert not drawn(run)


def test_missing_package_names_the_extra(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(video.PACKAGES, ".gif", ("a_package_that_nobody_has",))
    run = train(tiny_config(tmp_path, FILMED)).run_directory
    (line,) = told(capsys)
    assert line.endswith('pip install -e ".[video]"')
    assert not drawn(run)


def test_environment_that_was_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train(tiny_config(tmp_path, FILMED), env=NoPictures())
    assert told(capsys)[0].endswith("given as an object can't be made again")
