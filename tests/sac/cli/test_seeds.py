"""`train --seeds`: each seed in a process of its own, watched over by the one that started them."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sac.cli import run_command, seeds
from sac.cli.seeds import _ending, _without_seeds
from sac.cli.summary import MODULE_COMMANDS
from sac.config import Config, EnvConfig
from sac.sweep.processes import Run
from sac.terminal.interrupt import SIGNAL_STATUS
from sac.terminal.reports import Result
from tests.sac.plots.runs_for_tests import write_run
from tests.sac.tiny_runs import MODULE, checkpoint_steps, metrics, tiny_options

ROOT = Path(__file__).parents[3]
HAS_MATPLOTLIB = importlib.util.find_spec("matplotlib") is not None


def start(
    root: Path, *options: object, changes: dict[str, Any] | None = None
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "scripts/train.py", *map(str, [*tiny_options(root, changes), *options])],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until_all_learn(process: subprocess.Popen[str], workers: int = 2) -> None:
    assert process.stdout is not None
    learning = set()
    for line in process.stdout:
        learning |= set(re.findall(r"(seed \d): evaluation at step", line))
        if len(learning) == workers:
            return


def runs_in(root: Path) -> dict[int, Path]:
    found = {}
    for path in root.iterdir():
        if path.is_dir():
            found[Config.load(path / "config.yaml").seed] = path
    return found


def test_a_seed_that_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    root, marker = tmp_path / "runs", tmp_path / "marker"
    environment = ("--env.id", f"{MODULE}:FailsOnceForTests-v0", "--env.kwargs.marker", marker)
    process = start(root, *environment, "--seeds", "4,2,7", "--workers=1")
    out, err = process.communicate()
    assert process.returncode == 1, err
    runs = runs_in(root)
    assert set(runs) == {4, 2, 7}
    assert [checkpoint_steps(runs[seed])[-1] for seed in (2, 7)] == [60, 60]
    assert "seed 4: ValueError: the simulation is unstable" in out
    summary = out[out.rindex("seed 4: failed with exit status 1") :]
    assert f"\n  python scripts/train.py --resume {runs[4]}\n" in summary
    for seed in (2, 7):
        assert f"seed {seed}: Run directory: {runs[seed]}; Steps: 60 of 60; Mean return:" in summary
    assert out.index("seed 4: failed with exit status 1") < out.index("seed 2: started")
    assert out.index("seed 2: done") < out.index("seed 7: started")
    figure = root / (runs[2].name.replace("-s2-", "-seeds-") + ".png")
    assert (figure.is_file(), f"Figure: {figure}" in summary) == (HAS_MATPLOTLIB,) * 2
    assert ("No figure" in err) == (not HAS_MATPLOTLIB)
    assert {path for path in root.iterdir() if path.is_dir()} == set(runs.values())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_every_training_with_a_checkpoint(tmp_path: Path, number: int) -> None:
    options = ("--env.id", "CartPole-v1", "--seeds", "0,1,2", "--workers", 2)
    process = start(tmp_path, *options, changes={"train": {"total_steps": 10**6}})
    wait_until_all_learn(process)
    # Ctrl-C in a terminal reaches the whole group of processes.
    os.killpg(process.pid, number)
    out, _ = process.communicate()
    assert process.returncode == SIGNAL_STATUS + number
    runs = runs_in(tmp_path)
    assert set(runs) == {0, 1}
    for seed, run in runs.items():
        step = checkpoint_steps(run)[-1]
        assert step >= int(metrics(run)[-1]["step"])
        assert f"seed {seed}: interrupted\n" in out
        told = rf"Steps: {step:,} of 1,000,000; Mean return( at step \d+)?: "
        assert re.search(told, out)
        assert f"\n  python scripts/train.py --resume {run}\n" in out
    again = re.escape("python scripts/train.py") + r" .*--env\.id CartPole-v1 .*--seeds 2\n"
    assert re.search(rf"seed 2: not started\nTo train what was not started:\n  {again}", out)
    assert "Figure" not in out


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="there is no such signal here")
def test_request_for_a_checkpoint_reaches_every_training(tmp_path: Path) -> None:
    options = ("--env.id", "CartPole-v1", "--seeds", "0,1", "--workers", 2)
    process = start(tmp_path, *options, changes={"train": {"total_steps": 10**6}})
    wait_until_all_learn(process)
    process.send_signal(signal.SIGUSR1)
    assert process.stdout is not None
    waiting = {"seed 0: SIGUSR1: saved at step ", "seed 1: SIGUSR1: saved at step "}
    while waiting:
        line = process.stdout.readline()
        assert line, "the trainings have ended"
        waiting = {start for start in waiting if not line.startswith(start)}
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == SIGNAL_STATUS + signal.SIGTERM


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminal can hang up here")
def test_trainings_end_with_a_checkpoint_when_the_terminal_closes(tmp_path: Path) -> None:
    options = ("--env.id", "CartPole-v1", "--seeds", "0,1", "--workers", 2)
    process = start(tmp_path, *options, changes={"train": {"total_steps": 10**6}})
    wait_until_all_learn(process)
    process.send_signal(signal.SIGHUP)
    process.communicate()
    assert process.returncode == SIGNAL_STATUS + signal.SIGHUP
    for run in runs_in(tmp_path).values():
        assert checkpoint_steps(run)[-1] >= int(metrics(run)[-1]["step"])


def test_without_matplotlib_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    folder = write_run(tmp_path, "CartPole-v1-s3-2026")
    seeds._draw({3: folder})
    captured = capsys.readouterr()
    assert captured.err.startswith("No figure: ") and '".[plots]"' in captured.err
    assert captured.err.count("\n") == 1 and not captured.out


def test_command_of_a_seed_is_the_same_without_the_seeds() -> None:
    argv = ["--seeds", "1,2", "--config", "a.yaml", "--workers=3", "--seeds=4", "--name", "--x"]
    assert _without_seeds(argv) == ["--config", "a.yaml", "--name", "--x"]


def test_endings_of_runs() -> None:
    folder, resume = Path("my runs/a"), "python -m sac train --resume 'my runs/a'"
    whole, part = Result(str(folder), 9, 9, 0, -1.0, 0.5, 3), Result(str(folder), 5, 9)
    for run, expected in (
        (Run("seed 0"), "not started"),
        (Run("seed 0", 1), "failed with exit status 1"),
        (Run("seed 0", 0), "finished, but its report is lost: is the disk full?"),
        (Run("seed 0", 130), "interrupted"),
        (
            Run("seed 0", 137, folder),
            f"failed with exit status 137; Run directory: 'my runs/a'\n  {resume}",
        ),
        (Run("seed 0", 143, folder), f"interrupted; Run directory: 'my runs/a'\n  {resume}"),
        (
            Run("seed 0", 0, folder, whole),
            "Run directory: 'my runs/a'; Steps: 9 of 9; Mean return: -1.00 +- 0.50 over 3 episodes",
        ),
        (
            Run("seed 0", 130, folder, part),
            f"Run directory: 'my runs/a'; Steps: 5 of 9\n  {resume}",
        ),
    ):
        assert _ending(run, MODULE_COMMANDS, EnvConfig()) == f"seed 0: {expected}"
    unsigned = EnvConfig("module:Env-v0")
    assert _ending(Run("seed 0", 137, folder), MODULE_COMMANDS, unsigned).endswith(
        f"{resume} --trust"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--seeds 1,2,1", "--seeds: 1 appears more than once"),
        ("--seeds 1,,2", "--seeds: expected a whole number from 0"),
        ("--seeds 0,-1", "--seeds: expected a whole number from 0"),
        ("--seeds a", "--seeds: expected a whole number from 0"),
        ("--seeds 0 --workers 0", "--workers: expected a whole number from 1"),
        ("--workers 2", "--workers says how many of --seeds train at a time"),
        ("--seeds 0,1 --seed 3", "--seed is about one seed: leave out --seeds"),
        ("--seeds 0,1 --print_config", "--print_config is about one seed: leave out --seeds"),
        ("--seeds 0,1 --resume .", "--resume continues one run"),
        ("--seeds 0,1 --agent.gamma 2", "agent.gamma: expected a number from 0 to 1, got 2"),
    ],
)
def test_refusal_is_one_line_and_status_2(
    options: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def start(*arguments: Any, **keywords: Any) -> None:
        raise AssertionError("a training was started")

    monkeypatch.setattr("subprocess.Popen", start)
    assert run_command("train", ["--env.id", "CartPole-v1", *options.split()], "train.py") == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and message in captured.err
    assert captured.err.count("\n") == 1 and not captured.out
