"""Whole figures: what is in the file, and what is said of runs that could not be drawn."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sac.errors import ConfigError, SACError
from sac.evaluation.statistics import Interval
from sac.plots import PlotSettings, plot
from sac.plots.curves import Curve
from sac.plots.figure import Labels, draw_curves, draw_final
from tests.sac.plots.runs_for_tests import write_run

pytest.importorskip("matplotlib")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    root = tmp_path / "runs"
    for seed in range(3):
        for gamma in (0.9, 0.99):
            more = f"agent: {{gamma: {gamma}}}"
            values = (seed, 2 * seed, 10 * gamma)
            write_run(root, f"a{seed}{gamma}", seed=seed, values=values, more=more)
        write_run(root, f"b{seed}", env="Acrobot-v1", seed=seed, values=(0, 1, seed))
    return root


def text_of(runs: Path, **settings: Any) -> str:
    """The words in the figure, which an svg file keeps in comments."""
    output = runs.parent / "figure.svg"
    assert plot([runs], output, PlotSettings(**settings)) == []
    return output.read_text("utf-8")


def test_environments_that_were_objects_have_panels_of_their_own(tmp_path: Path) -> None:
    root, output = tmp_path / "runs", tmp_path / "figure.svg"
    for name in ("Reach", "Push"):
        write_run(root, name, env=f"'', name: {name}")
    paths = [*root.iterdir(), *[tmp_path / "a.png"]]
    paths[-1].touch()  # as of an earlier sweep: `runs/*` names it
    assert plot(paths, output, PlotSettings()) == []
    text = output.read_text("utf-8")
    assert "<!-- Reach" in text and "<!-- Push" in text
    write_run(root, "again", env="'', name: Push")
    (warning,) = plot([root], output, PlotSettings())
    assert "left out, another run has its seed; if they are of other tasks, tell" in warning
    assert warning.endswith("these apart by env.name in the config.yaml")
    with pytest.raises(ConfigError, match=r"a\.png is not a folder"):
        plot([tmp_path / "a.png"], output, PlotSettings())


def test_panels_curves_and_axes_say_what_they_are(runs: Path) -> None:
    text = text_of(runs)
    for words in ("CartPole-v1", "Acrobot-v1", "gamma 0.9 ", "gamma 0.99", "environment steps",
                  "evaluation return", "mean over 3 seeds, 95 % bootstrap interval"):  # fmt: skip
        assert f"<!-- {words}" in text or words in text, words
    assert "moving average" not in text


def curve(label: str) -> Curve:
    places = np.arange(3.0)
    return Curve(label, 3, places, places, Interval(places, places), places)


@pytest.mark.parametrize("draw", [draw_curves, draw_final])
@pytest.mark.parametrize("panels", [1, 2, 3])
@pytest.mark.parametrize("are_same", [True, False])
def test_long_labels_leave_room_for_the_curves(draw: Any, panels: int, are_same: bool) -> None:
    curves = {
        f"{panel}": [
            curve(8 * f"critic_hidden_sizes [{width}], " + ("" if are_same else f"{panel}"))
            for width in (64, 256)
        ]
        for panel in range(panels)
    }
    figure = draw(curves, Labels("x", "y", "note"))
    figure.draw_without_rendering()  # warns where the axes have no room
    top = max(axis.get_tightbbox().y1 for axis in figure.axes)
    for legend in figure.legends:
        assert legend.get_window_extent().y0 > top
        assert legend.get_window_extent().width < figure.bbox.width
    for axis in figure.axes:
        assert axis.get_window_extent().width > 0.4 * figure.bbox.width / panels
        assert axis.get_window_extent().height > 0.8 * figure.dpi
        legend = axis.get_legend()
        if legend is not None:
            assert legend.get_window_extent().y1 < axis.get_window_extent().y0
            assert legend.get_window_extent().width < figure.bbox.width / panels


def test_panels_with_the_same_labels_share_a_legend_and_colours() -> None:
    panels = {"a": [curve("x"), curve("y")], "b": [curve("y")], "c": [curve("y"), curve("x")]}
    figure = draw_curves(panels, Labels("x", "y", "note"))
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["x", "y"]
    colors = [{line.get_label(): line.get_color() for line in axis.lines} for axis in figure.axes]
    assert colors[0]["y"] == colors[1]["y"] == colors[2]["y"] != colors[2]["x"] == colors[0]["x"]
    assert not any(axis.get_legend() for axis in figure.axes)
    panels["b"] = [curve("z")]
    figure = draw_curves(panels, Labels("x", "y", "note"))
    assert not figure.legends and all(axis.get_legend() for axis in figure.axes)
    panels = {name: [curve("")] for name in "ab"}  # as of configurations, each in its own panel
    assert not draw_curves(panels, Labels("x", "y", "note")).legends


def test_smoothing_and_statistic_are_stated(runs: Path) -> None:
    text = text_of(runs, smooth=2, statistic="iqm", metric="train/alpha")
    assert "train/alpha (moving average of 2)" in text
    assert "interquartile mean over 3 seeds" in text


def test_final_performance(runs: Path) -> None:
    text = text_of(runs, final=True)
    assert "final evaluation return" in text
    assert "dots: seeds" in text
    assert "environment steps" not in text


def test_final_performance_is_where_each_run_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over time, too, where the fastest seed's end cut off the last values of the others."""
    root, drawn = tmp_path / "runs", list[Any]()
    write_run(root, "long", seed=0, values=(1, 2, 7))
    short = write_run(root, "short", seed=1, steps=(10, 20), values=(1, 3))
    monkeypatch.setattr("sac.plots.draw_final", lambda panels, labels: drawn.append(panels))
    monkeypatch.setattr("sac.plots.save", lambda figure, path: None)
    for x in ("steps", "time"):
        (warning,) = plot([root], tmp_path / "f.png", PlotSettings(x=x, final=True))
        assert warning == (
            f"{short} ends at 20 of 30 steps: its last value counts beside those of longer runs"
        )
        (curve,) = drawn.pop()["CartPole-v1"]
        assert (curve.last_values.tolist(), curve.center.tolist()) == ([7, 3], [5])


def test_number_of_seeds_stands_by_the_curve_where_it_varies(runs: Path) -> None:
    write_run(runs, "b3", env="Acrobot-v1", seed=3)
    text = text_of(runs)
    assert "4 seeds" in text
    assert "gamma 0.9 (3 seeds)" in text


@pytest.mark.parametrize(
    ("name", "magic"),
    [("c.png", b"\x89PNG"), ("c.svg", b"<?xml"), ("c.pdf", b"%PDF"), ("c.PNG", b"\x89PNG")],
)
def test_formats_are_reproducible_to_the_byte(
    runs: Path, tmp_path: Path, name: str, magic: bytes
) -> None:
    contents = []
    for _ in range(2):
        plot([runs], tmp_path / name, PlotSettings())
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    assert contents[0].startswith(magic)


def test_png_has_the_size_of_a_readme(runs: Path, tmp_path: Path) -> None:
    plot([runs / "b0"], tmp_path / "c.png", PlotSettings())
    header = (tmp_path / "c.png").read_bytes()[16:24]
    assert (int.from_bytes(header[:4]), int.from_bytes(header[4:])) == (1200, 675)


def test_runs_that_cannot_be_drawn_are_named(runs: Path, tmp_path: Path) -> None:
    (runs / "b1" / "metrics.csv").write_bytes(b"")
    (runs / "b2" / "config.yaml").write_text("sed: 3\n", "utf-8")
    write_run(runs, "again", env="Acrobot-v1", seed=0, steps=(10,), values=(5,))
    write_run(runs, "short", env="Acrobot-v1", seed=9, steps=(10,), values=(5,))
    warnings = "\n".join(plot([runs], tmp_path / "c.png", PlotSettings()))
    assert f"{runs / 'b1' / 'metrics.csv'} is empty: left out" in warnings
    assert f"{runs / 'b2' / 'config.yaml'}: unknown key" in warnings
    assert f"{runs / 'again'}: left out, another run has its seed" in warnings
    assert f"{runs / 'short'} ends at 10 of 30 steps" in warnings
    assert warnings.count("\n") == 3


def test_folders_that_cannot_be_read_are_named(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = "locked can't be read: Permission denied"
    monkeypatch.setattr("sac.plots.find_runs", lambda paths: ([runs / "b0"], [fault]))
    assert plot([runs], tmp_path / "c.png", PlotSettings()) == [f"{fault}: left out"]
    monkeypatch.setattr("sac.plots.find_runs", lambda paths: ([], [fault]))
    with pytest.raises(SACError, match=f"^no run can be drawn: {fault}$"):
        plot([runs], tmp_path / "c.png", PlotSettings())


def test_nothing_to_draw_is_an_error(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_run(tmp_path, name, values=("", "", ""))
    with pytest.raises(SACError, match=r"no run can be drawn: .*no value.*2 in all"):
        plot([tmp_path], tmp_path / "c.png", PlotSettings())
    assert not (tmp_path / "c.png").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [("c.jpg", "ends in png, svg, pdf"), ("c", "ends in png"), ("no/c.png", "does not exist")],
)
def test_output_that_cannot_be(runs: Path, tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plot([runs], tmp_path / name, PlotSettings())


def test_without_matplotlib_the_extra_is_named(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SACError, match=r'pip install -e "\.\[plots\]"'):
        plot([runs], tmp_path / "c.png", PlotSettings())


def test_users_own_style_is_neither_used_nor_changed(runs: Path, tmp_path: Path) -> None:
    import matplotlib

    plot([runs], tmp_path / "a.png", PlotSettings())
    with matplotlib.rc_context({"font.size": 30}):
        plot([runs], tmp_path / "b.png", PlotSettings())
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
