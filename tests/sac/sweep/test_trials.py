"""Trials: what Optuna is asked and told, by runs that a test plays, and a real sweep."""

import csv
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sac.config import Config
from sac.errors import ConfigError, SACError
from sac.run.layout import CONFIG_FILE, METRICS_FILE
from sac.sweep.folder import (
    BEST_FILE,
    PRUNED_FILE,
    STUDY_FILE,
    TRIALS_FILE,
    Comparison,
    SweepFolder,
    begin_run,
)
from sac.sweep.processes import LOST, Run
from sac.sweep.space import Space
from sac.sweep.trials import MAX_STARTS, Trials
from sac.terminal.reports import Evaluated
from tests.sac.tiny_runs import tiny_config

pytestmark = pytest.mark.extras
SPACE = {"agent.tau": {"uniform": [0.1, 0.9]}, "train.n_step": {"int": [1, 5]}}
STEPS = 100


@pytest.fixture(autouse=True)
def needs_optuna() -> None:
    pytest.importorskip("optuna", reason="the extra optuna")


def sweep(
    root: Path,
    *,
    trials: int = 3,
    seeds: int = 1,
    metric: str = "last",
    pruner: str = "none",
    name: str = "a-sweep",
) -> Trials:
    changes = {"train": {"total_steps": STEPS}, "evaluation": {"every_steps": 50}}
    config = tiny_config(root, changes)
    space, folder = Space(SPACE, config), SweepFolder(root / name)
    comparison = Comparison(metric, pruner, tuple(range(seeds)), 0)
    folder.open(space, comparison)
    return Trials(folder, space, comparison, trials=trials)


def play(trials: Trials, run: Run, returns: dict[int, float], status: int = 0) -> str:
    """Report evaluations until the run is over or ended."""
    for step, mean_return in returns.items():
        trials.reported(run, Evaluated(step, mean_return))
        if trials.is_over(run):
            status = 128 + signal.SIGTERM
            break
    run.status = status
    return trials.ended(run)


def next_run(trials: Trials) -> Run:
    run = trials.next()
    assert run is not None
    return run


def test_the_best_of_all_trials_is_a_configuration(tmp_path: Path) -> None:
    trials = sweep(tmp_path)
    for value in (1.0, 7.0, 3.0):
        assert play(trials, next_run(trials), {50: 99.0, STEPS: value}) == f"done: {value:.2f}"
    assert trials.next() is None
    assert [row.value for row in trials.rows()] == [7, 3, 1]
    best = Config.load(tmp_path / "a-sweep" / BEST_FILE)
    own = Config.load(tmp_path / "a-sweep" / "trial-0001" / CONFIG_FILE)
    assert (best.agent.tau, best.train.n_step) == (own.agent.tau, own.train.n_step)
    with open(tmp_path / "a-sweep" / TRIALS_FILE) as file:
        table = list(csv.DictReader(file))
    assert [(row["trial"], row["state"]) for row in table] == [
        ("1", "complete"), ("2", "complete"), ("0", "complete"),
    ]  # fmt: skip
    assert float(table[0]["agent.tau"]) == best.agent.tau


def test_the_best_evaluation_may_count(tmp_path: Path) -> None:
    trials = sweep(tmp_path, metric="best")
    assert play(trials, next_run(trials), {50: 99.0, STEPS: 7.0}) == "done: 99.00"


def test_importances_do_without_the_default_of_optuna(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of Optuna 4, fANOVA, needs scikit-learn."""
    trials = sweep(tmp_path, trials=4)
    for value in (1.0, 7.0, 3.0, 2.0):
        assert not trials.importances()  # too few are complete
        play(trials, next_run(trials), {STEPS: value})
    importance, evaluators = importlib.import_module("optuna.importance"), list[Any]()
    evaluate = importance.get_param_importances

    def noted(study: Any, **settings: Any) -> Any:
        evaluators.append(settings.get("evaluator"))
        return evaluate(study, **settings)

    monkeypatch.setattr(importance, "get_param_importances", noted)
    assert sum(trials.importances().values()) == pytest.approx(1)
    assert [type(each) for each in evaluators] == [importance.PedAnovaImportanceEvaluator]


def test_seeds_of_a_trial_are_averaged(tmp_path: Path) -> None:
    trials = sweep(tmp_path, trials=1, seeds=2)
    first, second = next_run(trials), next_run(trials)
    assert [first.label, second.label] == ["trial-0000-s0", "trial-0000-s1"]
    assert trials.next() is None
    configs = [
        Config.load(tmp_path / "a-sweep" / run.label / CONFIG_FILE) for run in (first, second)
    ]
    assert [config.seed for config in configs] == [0, 1]
    assert configs[0].agent == configs[1].agent
    assert play(trials, first, {STEPS: 2.0}) == "done"
    assert play(trials, second, {STEPS: 4.0}) == "done: 3.00"


def test_a_bad_trial_is_pruned_and_marked(tmp_path: Path) -> None:
    trials = sweep(tmp_path, trials=7, pruner="median")
    for _ in range(6):
        play(trials, next_run(trials), {50: 5.0, STEPS: 10.0})
    run = next_run(trials)
    assert play(trials, run, {50: 1.0, STEPS: 99.0}) == "pruned after 50 steps"
    assert "after 50 steps" in (tmp_path / "a-sweep" / run.label / PRUNED_FILE).read_text()
    assert trials.rows()[-1].state == "pruned"


def test_evaluations_that_were_due_at_one_step_are_compared_with_one_another(
    tmp_path: Path,
) -> None:
    trials = sweep(tmp_path, trials=7, seeds=2, pruner="median")
    for late in range(6):
        play(trials, next_run(trials), {50 + late: 5.0, STEPS + late: 10.0})
        play(trials, next_run(trials), {50 + 2 * late: 5.0, STEPS: 10.0})
    first, second = next_run(trials), next_run(trials)
    assert play(trials, first, {57: 1.0}) == "done"
    assert play(trials, second, {61: 1.0}) == "pruned after 61 steps"
    assert trials.study.trials[0].intermediate_values == {50: 5.0, STEPS: 10.0}


def test_a_failed_trial_is_counted_and_the_others_go_on(tmp_path: Path) -> None:
    trials = sweep(tmp_path, trials=2, seeds=2)
    first, second = next_run(trials), next_run(trials)
    assert play(trials, first, {}, status=2) == "failed with exit status 2"
    assert trials.is_over(second)
    play(trials, second, {}, status=128 + signal.SIGTERM)
    assert trials.rows()[0].state == "failed"
    assert next_run(trials).label == "trial-0001-s0"


def test_a_trial_that_was_killed_early_is_begun_or_fails(tmp_path: Path) -> None:
    trials = sweep(tmp_path, trials=1)
    trials.study.ask()  # killed before its settings were written down
    again = sweep(tmp_path, trials=1)
    whole = sweep(tmp_path / "other", trials=1)
    next_run(whole)
    assert again.rows()[0].parameters == whole.rows()[0].parameters
    assert play(again, next_run(again), {STEPS: 1.0}) == "done: 1.00"
    best = again.best_config()
    assert best is not None and set(best[0].parameters) == set(SPACE)
    disagreeing = again.study.ask()
    disagreeing.set_user_attr("parameters", {"train.learning_starts": STEPS + 1})
    assert sweep(tmp_path, trials=2).rows()[-1].state == "failed"


def test_seeds_that_ended_before_a_kill_count_for_pruning(tmp_path: Path) -> None:
    trials = sweep(tmp_path, trials=1, seeds=2)
    play(trials, next_run(trials), {50: 2.0, STEPS: 4.0})
    metrics = tmp_path / "a-sweep" / "trial-0000-s0" / METRICS_FILE
    metrics.write_text("step,eval/mean_return\n50,2\n100,4\n")
    again = sweep(tmp_path, trials=1, seeds=2)
    runs = {run.label: run for run in (next_run(again), next_run(again))}
    again.reported(runs["trial-0000-s1"], Evaluated(50, 6.0))
    assert again.study.trials[0].intermediate_values == {50: 4.0}


def test_a_trial_is_not_pruned_at_the_last_of_its_own_steps(tmp_path: Path) -> None:
    trials = sweep(tmp_path, trials=7, pruner="median")
    for _ in range(6):
        play(trials, next_run(trials), {50: 5.0, STEPS: 10.0})
    run = next_run(trials)
    trials._going[run.label].parameters["train.total_steps"] = 50
    assert play(trials, run, {50: 1.0}) == "done: 1.00"


def test_a_renamed_sweep_goes_on(tmp_path: Path) -> None:
    trials = sweep(tmp_path)
    play(trials, next_run(trials), {STEPS: 1.0})
    rows = trials.rows()
    (tmp_path / "a-sweep").rename(tmp_path / "b")
    again = sweep(tmp_path, name="b")
    assert again.rows() == rows
    assert next_run(again).label == "trial-0001"


def test_a_run_of_other_settings_is_not_taken_for_the_trial(tmp_path: Path) -> None:
    trials = sweep(tmp_path)
    next_run(trials)
    (tmp_path / "a-sweep" / STUDY_FILE).unlink()
    file = tmp_path / "a-sweep" / "trial-0000" / CONFIG_FILE
    other = Config.load(file).merged({"agent": {"tau": 0.05}})
    file.write_text(other.to_yaml())
    with pytest.raises(SACError, match=r"trial-0000' holds a run with another agent\.tau: 0\.05"):
        next_run(sweep(tmp_path))


def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path: Path) -> None:
    trials = sweep(tmp_path, trials=3)
    play(trials, next_run(trials), {STEPS: 1.0})
    run = next_run(trials)
    assert play(trials, run, {50: 2.0}, status=128 + signal.SIGINT) == "interrupted"
    again = sweep(tmp_path, trials=3)
    drawn = [row.parameters for row in again.rows()]
    begun = next_run(again)
    assert (begun.label, begun.command) == (run.label, run.command)
    assert play(again, begun, {50: 2.0, STEPS: 3.0}) == "done: 3.00"
    assert play(again, next_run(again), {STEPS: 2.0}) == "done: 2.00"
    assert again.next() is None
    assert [row.number for row in again.rows()] == [1, 2, 0]
    assert again.rows()[1].parameters not in drawn


def test_an_interrupted_sweep_tries_what_an_undisturbed_one_does(tmp_path: Path) -> None:
    def parameters(trials: Trials) -> list[Any]:
        return [trial.user_attrs["parameters"] for trial in trials.study.trials]

    many = 14  # TPE learns from the others when ten have ended
    undisturbed = sweep(tmp_path / "a", trials=many)
    for number in range(many):
        play(undisturbed, next_run(undisturbed), {STEPS: number % 5})
    interrupted = sweep(tmp_path / "b", trials=many)
    for number in range(many):
        if number in (1, 11):
            play(interrupted, next_run(interrupted), {}, status=128 + signal.SIGINT)
            interrupted = sweep(tmp_path / "b", trials=many)
        play(interrupted, next_run(interrupted), {STEPS: number % 5})
    assert parameters(interrupted) == parameters(undisturbed)
    assert len(set(map(str, parameters(interrupted)))) == many


def test_a_lost_run_begins_again_a_few_times(tmp_path: Path) -> None:
    trials = sweep(tmp_path, trials=1)
    for start in range(1, MAX_STARTS + 1):
        run = next_run(trials)
        assert run.label == "trial-0000"
        outcome = play(trials, run, {}, status=LOST)
        assert outcome.startswith("lost") == (start < MAX_STARTS)
    assert trials.rows()[0].state == "failed" and trials.next() is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metric": "best"}, 'another metric: "last", now "best"'),
        ({"seeds": 2}, "another seeds: [0], now [0, 1]"),
    ],
)
def test_another_sweep_in_the_folder_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    sweep(tmp_path)
    with pytest.raises(ConfigError) as caught:
        sweep(tmp_path, **changes)
    assert words in str(caught.value) and "--sweep" in str(caught.value)


def test_keys_that_disagree_fail_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tiny_config(tmp_path, {"train": {"total_steps": STEPS}})
    document = {"train.buffer_size": [300, 400], "train.batch_size": [8, 350]}
    space, folder = Space(document, config), SweepFolder(tmp_path / "a-sweep")
    comparison = Comparison("last", "none", (0,), 0)
    folder.open(space, comparison)
    trials = Trials(folder, space, comparison, trials=12)
    while (run := trials.next()) is not None:
        play(trials, run, {STEPS: 1.0})
    states = {row.state for row in trials.rows()}
    assert states == {"complete", "failed"} and len(trials.rows()) == 12
    assert "train.buffer_size: expected at least train.batch_size" in capsys.readouterr().err


COMMAND = [sys.executable, "-m", "sac", "sweep", "--config"]


def write_files(root: Path) -> list[str]:
    (root / "tiny.yaml").write_text(tiny_config(root, {"train": {"total_steps": 400}}).to_yaml())
    (root / "space.yaml").write_text(
        "agent.tau: {log: [1e-3, 1e-1]}\nagent.hidden_sizes: [[4], [8]]\n"
    )
    options = ["--space", str(root / "space.yaml"), "--trials", "3", "--workers", "2"]
    return [*COMMAND, str(root / "tiny.yaml"), *options, "--sweep", "s", "--json"]


def test_a_killed_sweep_goes_on_with_the_same_command(tmp_path: Path) -> None:
    command = write_files(tmp_path)
    folder = tmp_path / "s"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not list(folder.glob("trial-*/checkpoints")):
            assert process.poll() is None
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert [trial["state"] for trial in found["trials"]] == ["complete"] * 3
    assert sorted(trial["trial"] for trial in found["trials"]) == [0, 1, 2]
    assert "goes on" in ended.stderr
    once_more = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(once_more.stdout)["best"] == found["best"]


def test_a_second_command_is_refused_while_one_goes_on(tmp_path: Path) -> None:
    command = write_files(tmp_path)
    subprocess.run(command, check=True, capture_output=True)
    before = (tmp_path / "s" / STUDY_FILE).read_bytes()
    with SweepFolder(tmp_path / "s").lock():
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "is in use: a sweep writes into it" in refused.stderr
    assert (tmp_path / "s" / STUDY_FILE).read_bytes() == before


def test_a_run_waits_for_the_one_before_it(tmp_path: Path) -> None:
    config = tiny_config(tmp_path)
    begin_run(tmp_path / "run", config)
    file = tmp_path / "run" / CONFIG_FILE
    text = file.read_text()
    begin_run(tmp_path / "run", config)
    with pytest.raises(SACError, match="holds a run with another seed: 0, now 9"):
        begin_run(tmp_path / "run", config.merged({"seed": 9}))
    assert file.read_text() == text
