"""What TensorBoard's own server gives back of runs that were just trained."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format
from tensorboard.compat.proto import graph_pb2

from sac.agent.variants import metric_names
from sac.config import AgentConfig, Config
from sac.config.keys import list_keys
from sac.insight.film import TAG
from sac.insight.graph import TARGET
from sac.metrics.logger import metric_tags
from sac.metrics.pages import PAGES, hparams
from sac.training.train import train
from tests.sac.environments_for_tests import DRAWING
from tests.sac.tensorboard_server import Server, serve
from tests.sac.tiny_runs import metrics, tiny_config

GAMMAS = (0.9, 0.99)
DRAWN = {
    "env": {"id": f"tests.sac.environments_for_tests:{DRAWING}"},
    "logging": {"histograms_every_steps": 20, "videos_every_steps": 30},
}
STATUSES = [f"STATUS_{name}" for name in ("UNKNOWN", "SUCCESS", "FAILURE", "RUNNING")]
RESULTS = ("eval/mean_return", "eval/best_return")  # final, because the last value is shown


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs of a sweep."""
    pytest.importorskip("PIL")
    root = tmp_path_factory.mktemp("runs")
    configs = [tiny_config(root, {**DRAWN, "agent": {"gamma": gamma}}) for gamma in GAMMAS]
    return [train(config).run_directory for config in configs]


@pytest.fixture(scope="module")
def server(runs: list[Path]) -> Iterator[Server]:
    with serve(runs[0].parent) as server:
        names = {run.name for run in runs}

        def shows_all() -> bool:
            shown = server.get("plugin/scalars/tags")
            last = "time/updates_per_second"
            is_whole = all(last in shown.get(name, {}) for name in names)
            return is_whole and len(session_groups(server)) == len(names)

        server.wait_until(shows_all)
        yield server


def session_groups(server: Server) -> list[Any]:
    """The rows of the HPARAMS tab."""
    columns = [{"metric": {"tag": tag, "group": ""}} for tag in RESULTS]
    answer = server.post(
        "plugin/hparams/session_groups",
        experimentName="",
        allowedStatuses=STATUSES,
        colParams=columns,
        startIndex=0,
        sliceSize=100,
    )
    return answer.get("sessionGroups", [])


def logged(run: Path, tag: str) -> list[float]:
    return [float(row[tag]) for row in metrics(run) if tag in row]


def test_scalars_are_those_of_metrics_csv(server: Server, runs: list[Path]) -> None:
    for run in runs:
        rows = metrics(run)
        for tag in metric_tags(metric_names(AgentConfig())):
            events = server.get("plugin/scalars/scalars", run=run.name, tag=tag)
            expected = [(int(row["step"]), np.float32(row[tag])) for row in rows if tag in row]
            assert [(step, np.float32(value)) for _, step, value in events] == expected
            assert expected, tag


def test_layout_has_the_pages_in_order_and_once(server: Server) -> None:
    categories = server.get("plugin/custom_scalars/layout")["category"]
    assert [category["title"] for category in categories] == list(PAGES)
    charts = [[chart["title"] for chart in category["chart"]] for category in categories]
    assert charts == [list(charts) for charts in PAGES.values()]


def test_every_line_of_the_layout_has_points(server: Server, runs: list[Path]) -> None:
    drawn: set[str] = set()
    for category in server.get("plugin/custom_scalars/layout")["category"]:
        for chart in category["chart"]:
            for tag in chart["multiline"]["tag"]:
                answer = server.get("plugin/custom_scalars/scalars", run=runs[0].name, tag=tag)
                assert answer["regex_valid"]
                assert answer["tag_to_events"], tag
                assert all(answer["tag_to_events"].values()), tag
                drawn |= answer["tag_to_events"].keys()
    assert drawn == set(metric_tags(metric_names(AgentConfig()))) - {"eval/std_return"}


def test_configuration_is_shown_as_text(server: Server, runs: list[Path]) -> None:
    tags = server.get("plugin/text/tags")[runs[1].name]
    assert len(tags) == 1
    shown = server.get("plugin/text/text", run=runs[1].name, tag=tags[0])
    assert "gamma: 0.99" in shown[0]["text"]


def test_hparams_tab_compares_the_runs(server: Server, runs: list[Path]) -> None:
    groups = {group["name"]: group for group in session_groups(server)}
    assert groups.keys() == {run.name for run in runs}
    for run, gamma in zip(runs, GAMMAS, strict=True):
        group = groups[run.name]
        assert group["hparams"]["agent.gamma"] == gamma
        assert group["hparams"]["agent.alpha"] == "auto"
        assert group["hparams"]["agent.hidden_sizes"] == "[8]"
        assert group["hparams"]["agent.normalize_observations"] is False
        returns = logged(run, "eval/mean_return")
        values = {value["name"]["tag"]: value["value"] for value in group["metricValues"]}
        final, best = (values[tag] for tag in RESULTS)
        assert (final, best) == (pytest.approx(returns[-1]), pytest.approx(max(returns)))


def test_hparams_columns_begin_with_what_differs(server: Server) -> None:
    experiment = server.post("plugin/hparams/experiment", experimentName="", includeMetrics=True)
    columns = experiment["hparamInfos"]
    assert columns[0]["name"] == "agent.gamma"
    assert [column["name"] for column in columns if column["differs"]] == ["agent.gamma"]
    metrics_shown = [info["name"]["tag"] for info in experiment["metricInfos"]]
    assert {*metrics_shown[:2]} == {*RESULTS}
    types = {column["name"]: column["type"] for column in columns}
    assert types.keys() == hparams(Config()).keys()
    assert types["agent.gamma"] == types["train.batch_size"] == "DATA_TYPE_FLOAT64"
    assert types["agent.normalize_observations"] == "DATA_TYPE_BOOL"
    assert types["agent.alpha"] == types["env.id"] == "DATA_TYPE_STRING"


def test_histograms_are_drawn_at_their_rate(server: Server, runs: list[Path]) -> None:
    tags = server.get("plugin/histograms/tags")[runs[0].name]
    assert {tag.split("/")[0] for tag in tags} == {"policy", "q", "weights", "gradients"}
    assert {"policy/action", "q/q1", "q/q2_td_error", "q/target"} < tags.keys()
    assert {"weights/policy_layer_1", "gradients/q2_layer_2"} < tags.keys()
    for tag in tags:
        drawn = server.get("plugin/histograms/histograms", run=runs[0].name, tag=tag)
        assert [step for _, step, _ in drawn] == [20, 40, 60]
        assert all(sum(count for *_, count in buckets) > 0 for *_, buckets in drawn)
    # A batch of 8 actions, of two.
    drawn = server.get("plugin/histograms/histograms", run=runs[0].name, tag="policy/action")
    (*_, buckets) = drawn[-1]
    assert sum(count for *_, count in buckets) == 8
    assert 0 <= buckets[0][0] and buckets[-1][1] <= 1


def test_distributions_follow_the_histograms(server: Server, runs: list[Path]) -> None:
    drawn = server.get("plugin/distributions/distributions", run=runs[0].name, tag="q/q1")
    assert [step for _, step, _ in drawn] == [20, 40, 60]


def test_episodes_are_animated_images(server: Server, runs: list[Path], tmp_path: Path) -> None:
    image: Any = pytest.importorskip("PIL.Image")
    for run in runs:
        shown = server.get("plugin/images/images", run=run.name, tag=TAG, sample="0")
        assert [shot["step"] for shot in shown] == [30, 60]
        path = tmp_path / "episode.gif"
        path.write_bytes(server.read(f"plugin/images/individualImage?{shown[-1]['query']}"))
        with image.open(path) as film:
            assert film.format == "GIF" and film.n_frames > 1
            assert film.size == (90, 60)


def test_graph_shows_the_update(server: Server, runs: list[Path]) -> None:
    info = server.get("plugin/graphs/info")
    assert all(info[run.name]["run_graph"] for run in runs)
    text = server.read(f"plugin/graphs/graph?run={runs[0].name}&conceptual=false").decode()
    graph = text_format.Parse(text, graph_pb2.GraphDef())
    scopes = {node.name.split("/")[0] for node in graph.node}
    assert scopes == {"batch", "policy", "soft_q", "targets", "alpha", "losses"}
    (loss,) = [node for node in graph.node if node.name == "losses/critic_loss/HalfMse"]
    assert f"^{TARGET}" in loss.input and TARGET not in loss.input


def test_a_key_has_one_type_whatever_its_value() -> None:
    automatic = hparams(Config.from_dict({"env": {"id": "CartPole-v1"}}))
    changes = {
        "env": {"id": "CartPole-v1", "kwargs": {"render_mode": None}, "step_timeout": 3},
        "agent": {"alpha": 0.2, "target_entropy": 0.3, "max_grad_norm": 1.0, "gamma": 1},
        "train": {"init_from": "runs/x"},
    }
    given = hparams(Config.from_dict(changes))
    assert {n: type(v) for n, v in given.items()} == {n: type(v) for n, v in automatic.items()}
    assert (automatic["agent.alpha"], given["agent.alpha"]) == ("auto", "0.2")
    assert given["env.kwargs"] == '{"render_mode": null}'


def test_no_key_that_matters_is_left_out() -> None:
    left_out = {key.name for key in list_keys(Config)} - hparams(Config()).keys()
    assert {name.partition(".")[0] for name in left_out} == {"name", "logging", "checkpoint"}
