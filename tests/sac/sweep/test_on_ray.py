"""Trainings on a Ray cluster of several nodes, one of which is lost."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sac.config import Config
from sac.run.checkpoint import step_folders
from sac.sweep.board import Board
from sac.sweep.child import Event
from sac.sweep.folder import Comparison, SweepFolder
from sac.sweep.on_ray import Host
from sac.sweep.processes import Supervisor
from sac.sweep.space import Space
from sac.sweep.trials import Trials
from sac.terminal.reports import Result
from tests.sac.tiny_runs import tiny_config

MEMORY = 100_000_000


def test_a_node_that_does_not_see_the_folder_begins_the_run_there(tmp_path: Path) -> None:
    config = tiny_config(tmp_path)
    host = Host(str(tmp_path / "elsewhere" / "trial-0000"), config.to_yaml(), 1)
    events, status = list[Event](), None
    while status is None:
        new, status = host.poll()
        events += new
        time.sleep(0.05)
    assert status == 0
    (result,) = (event for event in events if isinstance(event, Result))
    assert (result.run_directory, result.step) == (str(tmp_path / "elsewhere" / "trial-0000"), 60)


@pytest.fixture
def cluster() -> Iterator[Any]:
    pytest.importorskip("optuna", reason="the extra optuna")
    pytest.importorskip("ray", reason="the extra ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "object_store_memory": MEMORY, "include_dashboard": False},
    )
    yield cluster
    cluster.shutdown()


def sweep(root: Path, steps: int, trials: int) -> Trials:
    config = tiny_config(root, {"train": {"total_steps": steps}})
    space = Space({"agent.tau": {"uniform": [0.1, 0.9]}}, config)
    folder = SweepFolder(root / "s")
    comparison = Comparison("last", "none", (0,), 0)
    folder.open(space, comparison)
    return Trials(folder, space, comparison, trials=trials)


@pytest.mark.extras
@pytest.mark.slow
def test_trials_of_a_lost_node_go_on_elsewhere(
    tmp_path: Path, cluster: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from sac.sweep.on_ray import connected

    nodes = [cluster.add_node(num_cpus=1, object_store_memory=MEMORY) for _ in range(2)]
    trials = sweep(tmp_path, steps=1500, trials=2)
    lost = False

    class Watched(Trials):
        def reported(self, run: Any, report: Any) -> None:
            nonlocal lost
            super().reported(run, report)
            if not lost and step_folders(tmp_path / "s" / run.label):
                lost = True
                cluster.remove_node(nodes[0], allow_graceful=False)
                cluster.add_node(num_cpus=1, object_store_memory=MEMORY)

    trials.__class__ = Watched
    with connected(cluster.address, 1) as found:
        assert found.room == 2
        assert found.blind_nodes(tmp_path / "s") == []
        assert Supervisor(trials, Board(keeps_ended=False), found.room, found.start).train() is None
    assert lost and [row.state for row in trials.rows()] == ["complete"] * 2
    shown = capsys.readouterr().out
    assert "nothing is heard of it any more" in shown
    assert "begins again from its last checkpoint" in shown
    for row in trials.rows():
        config = Config.load(tmp_path / "s" / row.folders[0] / "config.yaml")
        assert config.train.total_steps == max(step_folders(tmp_path / "s" / row.folders[0]))
