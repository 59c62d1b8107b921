"""What TensorBoard's own server gives back of runs that were just trained."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import numpy as np
import pytest

from sac.config import Config
from sac.config.keys import list_keys
from sac.logger import metric_tags
from sac.tensorboard_pages import PAGES, RESULTS, hparams
from sac.trainer import train
from tests.sac.tiny_runs import metrics, tiny_config

GAMMAS = (0.9, 0.99)
PATIENCE = 120  # seconds, for a server on a machine with much else to do
STATUSES = [f"STATUS_{name}" for name in ("UNKNOWN", "SUCCESS", "FAILURE", "RUNNING")]


class Server:
    """A TensorBoard server's HTTP API."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.opener = build_opener(ProxyHandler({}))  # a proxy would not find a loopback port

    def get(self, path: str, **query: str) -> Any:
        return self._read(Request(f"{self.url}data/{path}?{urlencode(query)}"))

    def post(self, path: str, **document: Any) -> Any:
        data = json.dumps(document).encode()
        header = {"Content-Type": "application/json"}
        return self._read(Request(f"{self.url}data/{path}", data, header))

    def _read(self, request: Request) -> Any:
        with self.opener.open(request, timeout=PATIENCE) as response:
            return json.load(response)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs of a sweep."""
    root = tmp_path_factory.mktemp("runs")
    configs = [tiny_config(root, {"agent": {"gamma": gamma}}) for gamma in GAMMAS]
    return [train(config).run_directory for config in configs]


@pytest.fixture(scope="module")
def server(runs: list[Path]) -> Iterator[Server]:
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(runs[0].parent)]
    command += ["--host", "127.0.0.1", "--port", "0", "--reload_interval", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = []
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"at (http://\S+)", line):
                    break
            assert found, "".join(said)
            server = Server(found[1])
            _wait_for_runs(server, runs)
            yield server
        finally:
            process.terminate()


def _wait_for_runs(server: Server, runs: list[Path]) -> None:
    deadline = time.monotonic() + PATIENCE
    names = {run.name for run in runs}
    last = "time/updates_per_second"
    while time.monotonic() < deadline:
        shown = server.get("plugin/scalars/tags")
        groups = session_groups(server)
        if all(last in shown.get(name, {}) for name in names) and len(groups) == len(names):
            return
        time.sleep(0.2)
    pytest.fail("TensorBoard does not show the runs")


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
        for tag in metric_tags(2):
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
    assert drawn == set(metric_tags(2)) - {"eval/std_return"}


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
        assert values == {
            "eval/mean_return": pytest.approx(returns[-1]),
            "eval/best_return": pytest.approx(max(returns)),
        }


def test_hparams_columns_have_types_and_names(server: Server) -> None:
    experiment = server.post("plugin/hparams/experiment", experimentName="")
    names = {info["name"]["tag"]: info["displayName"] for info in experiment["metricInfos"]}
    assert names == RESULTS
    types = {info["name"]: info["type"] for info in experiment["hparamInfos"]}
    assert types["agent.gamma"] == types["train.batch_size"] == "DATA_TYPE_FLOAT64"
    assert types["agent.normalize_observations"] == "DATA_TYPE_BOOL"
    assert types["agent.alpha"] == types["env.id"] == "DATA_TYPE_STRING"


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
