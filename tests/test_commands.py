"""The commands of the README as a user types them, and what each says to bad input."""

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sac.config import Config
from tests.sac.environments_for_tests import DRAWING
from tests.sac.tiny_runs import checkpoint_steps, tiny_options

ROOT = Path(__file__).parents[1]
NO_GPU = {"CUDA_VISIBLE_DEVICES": ""}
NUMBER = r"-?[\d,]+(\.\d+)?"


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str


def run(*argv: object, cwd: Path = ROOT) -> Done:
    """Run Python on these arguments, its output no terminal."""
    done = subprocess.run(
        [sys.executable, *map(str, argv)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | NO_GPU,
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def succeed(*argv: object, cwd: Path = ROOT) -> str:
    """Run a command that must succeed without a word on standard error; return its output."""
    done = run(*argv, cwd=cwd)
    assert (done.status, done.err) == (0, "")
    return done.out


@dataclass(frozen=True)
class Trained:
    """A run that the first command of the README made, in a few steps, and what it printed."""

    run: Path
    out: str


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root = tmp_path_factory.mktemp("trained") / "runs"
    out = succeed(
        *("scripts/train.py", "--config", "configs/pendulum.yaml"),
        *tiny_options(root, {"checkpoint": {"keep": 10}, "evaluation": {"episodes": 2}}),
    )
    (directory,) = root.iterdir()
    return Trained(directory, out)


# Training.


def test_train_prints_plain_lines_and_ends_with_the_next_commands(trained: Trained) -> None:
    lines = trained.out.splitlines()
    assert "\x1b" not in trained.out and "\r" not in trained.out
    shown = [line for line in lines if line.startswith("step ")]
    assert len(shown) == 20
    assert re.fullmatch(
        rf"step 60/60 \(100 %\)  episodes 0  alpha {NUMBER}  {NUMBER} steps/s  {NUMBER} updates/s  "
        r"\d:\d\d:\d\d left",
        shown[-1],
    )
    evaluations = [line for line in lines if line.startswith("evaluation at step ")]
    assert len(evaluations) == 2
    pattern = rf"evaluation at step 60: mean return {NUMBER} \+- {NUMBER} over 2 episodes"
    assert re.fullmatch(pattern, evaluations[-1])
    assert lines[-7:] == [
        f"Run directory: {trained.run}",
        "Steps: 60 of 60",
        f"Mean return:{evaluations[-1].partition('mean return')[2]}",
        "Next:",
        f"  tensorboard --logdir {trained.run.parent}",
        f"  python scripts/evaluate.py {trained.run}",
        f"  python scripts/train.py --resume {trained.run} --train.total_steps 120",
    ]


@pytest.mark.parametrize("can_have_a_key", [True, False])
@pytest.mark.parametrize("env_id", ["CartPole-v1", f"tests.sac.environments_for_tests:{DRAWING}"])
def test_commands_that_the_summary_names_work_as_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env_id: str, can_have_a_key: bool
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path if can_have_a_key else "/dev/null"))
    options = tiny_options(tmp_path / "all runs")
    out = succeed("scripts/train.py", "--env.id", env_id, *options)
    _, evaluate, resume = (shlex.split(line) for line in out.splitlines()[-3:])
    assert evaluate[0] == resume[0] == "python"
    needs_trust = ":" in env_id and not can_have_a_key
    assert ("--trust" in evaluate, "--trust" in resume) == (needs_trust, needs_trust)
    assert f"{env_id}, 20 episodes" in " ".join(succeed(*evaluate[1:]).split())
    assert "Steps: 120 of 120" in succeed(*resume[1:])


CHANGES = {"train": {"total_steps": "2e1"}}


def test_options_win_over_the_file(tmp_path: Path) -> None:
    succeed(
        *(
            "scripts/train.py",
            "--config",
            "configs/cartpole.yaml",
            *tiny_options(tmp_path, CHANGES),
        ),
        *("--seed", 3, "--agent.gamma", 0.98),
    )
    (directory,) = tmp_path.iterdir()
    assert directory.name.startswith("CartPole-v1-cartpole-s3-")
    config = Config.load(directory / "config.yaml")
    assert (config.seed, config.agent.gamma, config.train.total_steps) == (3, 0.98, 20)
    assert checkpoint_steps(directory) == [20]


def test_print_config_can_be_trained_from_and_trains_nothing(tmp_path: Path) -> None:
    options = ["--config", "configs/pendulum.yaml", "--print_config", "--logging.root", tmp_path]
    printed = succeed("scripts/train.py", *options)
    file = tmp_path / "again.yaml"
    file.write_text(printed)
    assert succeed("scripts/train.py", "--config", file, "--print_config") == printed
    assert list(tmp_path.iterdir()) == [file]


def test_finished_run_says_that_there_is_nothing_to_do(trained: Trained) -> None:
    out = succeed("scripts/train.py", "--resume", trained.run)
    assert out.startswith("nothing to do: the run has made 60 steps")
    assert out.endswith(f"--resume {trained.run} --train.total_steps 120\n")


def test_module_does_the_same_from_another_folder(tmp_path: Path) -> None:
    options = tiny_options(Path("runs"))
    config = ROOT / "configs" / "cartpole.yaml"
    out = succeed("-m", "sac", "train", "--config", config, *options, cwd=tmp_path)
    (directory,) = (tmp_path / "runs").iterdir()
    path = directory.relative_to(tmp_path)
    assert out.splitlines()[-3:] == [
        "  tensorboard --logdir runs",
        f"  python -m sac evaluate {path}",
        f"  python -m sac train --resume {path} --train.total_steps 120",
    ]
    evaluated = succeed("-m", "sac", "evaluate", path, "--episodes", 2, "--json", cwd=tmp_path)
    assert json.loads(evaluated)["episodes"] == 2
    more = ["--train.total_steps", 70]
    assert "Steps: 70 of 70" in succeed("-m", "sac", "train", "--resume", path, *more, cwd=tmp_path)


# Evaluating.


def evaluated(trained: Trained, *options: object) -> dict[str, Any]:
    out = succeed("scripts/evaluate.py", trained.run, "--json", *options)
    assert out.count("\n") == 1
    result: dict[str, Any] = json.loads(out)
    return result


def test_table(trained: Trained) -> None:
    out = succeed("scripts/evaluate.py", trained.run, "--episodes", 20, "--seed", 7)
    assert "Pendulum-v1, 20 episodes" in out
    for row in ("mean", "standard deviation", "lowest", "highest", "mean length"):
        assert re.search(rf"│ {row} +│ +{NUMBER} +│", out), row


CHATTY = """
import ctypes
import gymnasium
from gymnasium.envs.classic_control import PendulumEnv

class Chatty(PendulumEnv):
    def reset(self, **keywords):
        ctypes.CDLL(None).puts(b"hello from C")
        return super().reset(**keywords)

gymnasium.register("Chatty-v0", Chatty, max_episode_steps=5)
"""


@pytest.mark.skipif(os.name != "posix", reason="prints by the C library")
@pytest.mark.parametrize("command", ["evaluate", "doctor"])
def test_json_is_alone_where_the_environment_prints(
    trained: Trained, tmp_path: Path, command: str
) -> None:
    (tmp_path / "chatty.py").write_text(CHATTY)
    config = Config.load(trained.run / "config.yaml")
    chatty = config.merged({"env": {"id": "chatty:Chatty-v0"}, "logging": {"root": str(tmp_path)}})
    (tmp_path / "chatty.yaml").write_text(chatty.to_yaml())
    assert run("-m", "sac", "train", "--config", "chatty.yaml", cwd=tmp_path).status == 0
    (directory,) = tmp_path.glob("*Chatty-v0-*")
    done = run("-m", "sac", command, directory, "--episodes", 1, "--json", cwd=tmp_path)
    assert done.status == 0 and json.loads(done.out)["env"] == "chatty:Chatty-v0"
    assert "hello from C" in done.err


def test_json(trained: Trained) -> None:
    result = evaluated(trained, "--episodes", 3, "--seed", 7)
    returns = result["returns"]
    assert (result["env"], result["episodes"], len(returns)) == ("Pendulum-v1", 3, 3)
    assert result["mean_return"] == pytest.approx(sum(returns) / 3)
    assert (result["min_return"], result["max_return"]) == (min(returns), max(returns))
    assert result["std_return"] > 0
    assert result["mean_length"] == 200
    assert evaluated(trained, "--episodes", 3, "--seed", 7) == result
    assert evaluated(trained, "--episodes", 3, "--seed", 8)["returns"] != returns
    sampled = evaluated(trained, "--episodes", 3, "--seed", 7, "--stochastic")
    assert sampled["returns"] != returns


@pytest.mark.parametrize(("which", "steps"), [("best", {30, 60}), ("last", {60}), ("40", {40})])
def test_checkpoint_that_is_asked_for(trained: Trained, which: str, steps: set[int]) -> None:
    result = evaluated(trained, "--episodes", 1, "--checkpoint", which)
    assert result["checkpoint_step"] in steps


def test_reader_that_leaves_early(trained: Trained) -> None:
    command = shlex.join([sys.executable, "scripts/evaluate.py", str(trained.run), "--episodes=1"])
    done = subprocess.run(
        f"{command} | true",
        shell=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("", "")


# Starting quickly.


def test_training_imports_nothing_that_it_does_not_need() -> None:
    libraries = "torch tensorflow jax pandas scipy matplotlib rich pytest"
    asked_for = "IPython minari mlflow wandb"
    names = f"{libraries} {asked_for}".split()
    code = f"import sys, sac.training.train; print([m for m in {names} if m in sys.modules])"
    assert succeed("-c", code) == "[]\n"


# Bad input: a folder with these files; RUN, DAMAGED and UNSAVED are runs of a Pendulum.

FILES = {
    "empty.yaml": "",
    "comment.yaml": "# nothing\n",
    "broken.yaml": "env: {id: Pendulum-v1\n",
    "list.yaml": "- env\n- agent\n",
    "text.yaml": "Pendulum-v1\n",
    "unknown_key.yaml": "env: {id: Pendulum-v1}\nagent: {gama: 0.9}\n",
    "unknown_section.yaml": "enviroment: {id: Pendulum-v1}\n",
    "wrong_type.yaml": "env: {id: Pendulum-v1}\nagent: {hidden_sizes: wide}\n",
    "out_of_range.yaml": "env: {id: Pendulum-v1}\nagent: {gamma: 1.5}\n",
    "good.yaml": "env: {id: Pendulum-v1}\n",
}
GOOD = "train --config good.yaml"
BAD_INPUT = [
    ("train --config nowhere.yaml", "nowhere.yaml does not exist"),
    ("train --config empty.yaml", "empty.yaml is empty"),
    ("train --config comment.yaml", "comment.yaml is empty"),
    ("train --config broken.yaml", "broken.yaml is not valid YAML"),
    ("train --config list.yaml", "list.yaml holds a list"),
    ("train --config text.yaml", "text.yaml holds a str"),
    ("train --config .", "is a directory"),
    ("train --config unknown_key.yaml", "unknown key 'agent.gama', the nearest is agent.gamma"),
    ("train --config unknown_section.yaml", "unknown key 'enviroment', the nearest is env"),
    ("train --config wrong_type.yaml", "agent.hidden_sizes: expected a list"),
    ("train --config out_of_range.yaml", "agent.gamma: expected a number from 0 to 1, got 1.5"),
    (f"{GOOD} --agent.gama 0.9", "unknown option --agent.gama, the nearest is --agent.gamma"),
    (f"{GOOD} --agent.gamma 1.5", "agent.gamma: expected a number from 0 to 1, got 1.5"),
    (f"{GOOD} --agent.gamma nan", "agent.gamma: expected a number from 0 to 1, got 'nan'"),
    (f"{GOOD} --agent.policy_lr .inf", "agent.policy_lr: expected a number above 0"),
    (f"{GOOD} --agent.tau -1", "agent.tau: expected a number above 0 and at most 1, got -1"),
    (f"{GOOD} --train.batch_size 0", "train.batch_size: expected a whole number from 1"),
    (
        f"{GOOD} --train.total_steps 10 --train.learning_starts 11",
        "train.learning_starts: expected at most train.total_steps",
    ),
    (f"{GOOD} --train.buffer_size 10", "train.buffer_size: expected at least train.batch_size"),
    (f"{GOOD} --seed -1", "seed: expected a whole number from 0"),
    (f"{GOOD} --seed 1.5", "seed: expected a whole number from 0"),
    (f"{GOOD} --agent.target_entropy high", "agent.target_entropy: expected auto or a number"),
    (f"{GOOD} --device cuda", "device: expected one that this machine has, got cuda"),
    (f"{GOOD} --device gpu", "device: expected auto, cpu, cuda or cuda:N, got 'gpu'"),
    (f"{GOOD} --train.init_from nowhere", "train.init_from: .*'nowhere'"),
    (f"{GOOD} --train.init_from UNSAVED", "train.init_from: .*has no checkpoints"),
    (f"{GOOD} --train.init_from DAMAGED", "train.init_from: .*is damaged"),
    (f"{GOOD} --train.init_from RUN --env.id CartPole-v1", "does not fit.*other spaces"),
    (f"{GOOD} --logging.root good.yaml/runs", "good.yaml/runs.*Set logging.root"),
    (f"{GOOD} --env.wrappers [{{class_path:gymnasium.wrappers.Nothing,kwargs:{{}}}}]", "Nothing"),
    ("train --env.id CartPole-v1 --agent.target_entropy 3", "agent.target_entropy: expected auto"),
    ("train --env.id Pendulm-v1", "'Pendulm-v1'.*nearest names are Pendulum-v1"),
    ("train --env.id nowhere:Thing-v0", "module 'nowhere' of 'nowhere:Thing-v0' was found neither"),
    ("train --env.id Pendulum-v1 --env.kwargs.gravity 3", "env.kwargs: .*gravity"),
    ("train --env.id Blackjack-v1 --train.buffer_size 1e12", "train.buffer_size: expected"),
    ("train", "no environment: give --config FILE, --resume RUN or --env.id"),
    ("train --resume nowhere", "cannot resume nowhere: it does not exist"),
    ("train --resume .", "contains no config.yaml"),
    ("train --resume UNSAVED --train.total_steps 100", "has no checkpoints"),
    ("train --resume DAMAGED --train.total_steps 100", "is damaged"),
    ("train --resume RUN --train.total_steps 100 --env.id CartPole-v1", "env.id|observations"),
    ("evaluate nowhere", "nowhere does not exist"),
    ("evaluate .", "has no checkpoints"),
    ("evaluate UNSAVED", "has no checkpoints"),
    ("evaluate DAMAGED", "is damaged"),
    ("evaluate RUN --checkpoint 41", "no checkpoint '41'. It has: .*40, 60, last, best"),
    ("evaluate RUN --episodes 0", "--episodes: expected a whole number from 1"),
    ("evaluate RUN --device cuda", "device: expected one that this machine has, got cuda"),
    ("trian", "choose from"),
]
PACKAGES = [
    ("HalfCheetah-v5", "mujoco", "mujoco"),
    ("LunarLander-v3", "Box2D", "box2d"),
    ("ALE/Pong-v5", "ale_py", "atari"),
]


@pytest.fixture(scope="session")
def folder(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where bad input is typed; nothing may change in it."""
    path = tmp_path_factory.mktemp("bad_input")
    for name, text in FILES.items():
        (path / name).write_text(text)
    for name in ("RUN", "DAMAGED", "UNSAVED"):
        copy_files(trained.run, path / name)
    for file in (path / "DAMAGED").rglob("policy.safetensors"):
        file.write_bytes(file.read_bytes()[:-1])
    for file in sorted((path / "UNSAVED").rglob("*"), reverse=True):
        if file.is_dir():
            file.rmdir()
        elif file.name not in ("config.yaml", "metrics.csv"):
            file.unlink()
    return path


def copy_files(source: Path, target: Path) -> None:
    for file in source.rglob("*"):
        if file.is_file():
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())


def modified(folder: Path) -> dict[Path, int]:
    """When each file was last written, but the lock that a run is looked at under."""
    files = [path for path in folder.rglob("*") if path.name != "run.lock"]
    return {path: path.stat().st_mtime_ns for path in files if path.is_file()}


def refuse(folder: Path, command: str, message: str) -> None:
    before = modified(folder)
    done = run("-m", "sac", *command.split(), cwd=folder)
    assert done.status == 2, done
    assert done.err.startswith("error: ")
    assert re.search(message, done.err), done.err
    assert done.err.count("\n") <= 2
    assert done.out == ""
    assert modified(folder) == before


@pytest.mark.parametrize(("command", "message"), BAD_INPUT, ids=[row[0] for row in BAD_INPUT])
def test_bad_input_is_a_line_and_status_2_and_changes_nothing(
    folder: Path, command: str, message: str
) -> None:
    refuse(folder, command, message)


@pytest.mark.parametrize(("env_id", "package", "extra"), PACKAGES)
def test_missing_package_is_named_by_its_extra(
    folder: Path, env_id: str, package: str, extra: str
) -> None:
    if importlib.util.find_spec(package) is not None:
        pytest.skip(f"{package} is installed")
    refuse(folder, f"train --env.id {env_id}", re.escape(f'pip install -e ".[{extra}]"'))
