"""Whatever the configuration and the arguments say: it works, or one line and status 2."""

import io
import os
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sac.cli import COMMANDS, run_command
from sac.config import Config
from sac.config.keys import list_keys
from sac.config.yaml_text import dump_yaml
from sac.training.loop import TrainingLoop

ROOT = Path(__file__).parents[3]
KEYS = [key.name for key in list_keys(Config)]
NUMBERS = st.sampled_from([-1, 0, 1, 2, 7, 0.5, 1e-9, 1e9, 2**40, float("nan"), float("inf")])
TEXTS = st.sampled_from(
    ["", "auto", "null", "CartPole-v1", "Pendulum-v1", "a:b", "os:x", ":", "ALE/Pong-v5", "relu"]
) | st.text(st.characters(codec="utf-8"), max_size=5)
LEAVES = NUMBERS | TEXTS | st.none() | st.booleans()
WRAPPERS = st.fixed_dictionaries(
    {"class_path": TEXTS | st.sampled_from(["gymnasium.wrappers.TimeLimit", "os.path.join"])},
    optional={"kwargs": st.dictionaries(TEXTS, LEAVES, max_size=2)},
)
VALUES = (
    LEAVES
    | st.lists(LEAVES | WRAPPERS, max_size=3)
    | st.dictionaries(TEXTS | st.sampled_from(["g", "render_mode"]), LEAVES, max_size=2)
)
# Large ones would take the memory or the processes of the machine that tests.
BOUNDED = {"env.num_envs": 3, "agent.num_soft_q_nets": 3, "train.buffer_size": 2**20}


def in_process(command: str, argv: list[str]) -> tuple[int, str]:
    """Run a command, whose training loop makes no step; return its status and its errors."""
    errors = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stderr(errors),
        redirect_stdout(io.StringIO()),
    ):
        patch.setattr(TrainingLoop, "run", lambda self, interrupt: iter(()))
        try:
            status = run_command(command, argv, f"{command}.py")
        except SystemExit as end:  # --help
            status = int(end.code or 0)
    return status, errors.getvalue()


def check(status: int, errors: str) -> None:
    assert status in (0, 2), (status, errors)
    lines = errors.splitlines()
    assert bool([line for line in lines if line.startswith("error: ")]) == (status == 2), errors
    assert "Traceback" not in errors


def nested(values: dict[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *sections, last = name.split(".")
        inner = tree
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[last] = value
    return tree


def is_small(values: dict[str, Any]) -> bool:
    sizes = values.get("agent.hidden_sizes", [])
    widths = sizes if isinstance(sizes, list) else [sizes]
    return all(not isinstance(width, int | float) or not width > 64 for width in widths) and all(
        not isinstance(values.get(key), int | float) or not values[key] > limit
        for key, limit in BOUNDED.items()
    )


@pytest.mark.filterwarnings("ignore")  # of Gymnasium, about what it is given
@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3).filter(is_small))
def test_every_configuration_trains_or_is_refused(values: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        usual = {"env.id": "CartPole-v1", "agent.hidden_sizes": [4], "train.buffer_size": 1000}
        forced = {"logging.root": folder, "device": values.get("device", "cpu")}
        file = Path(folder, "fuzzed.yaml")
        try:
            file.write_text(dump_yaml(nested(usual | values | forced)), encoding="utf-8")
        except (ValueError, UnicodeEncodeError):  # no YAML can hold it
            return
        check(*in_process("train", ["--config", str(file)]))


OPTIONS = st.sampled_from(
    "--help --json --episodes --seed --seeds --checkpoint --env.kwargs.g -o --device --trust "
    "--random --num_envs --format --resume -- - --x".split()
)
ARGUMENTS = st.lists(
    OPTIONS | TEXTS | NUMBERS.map(str) | st.sampled_from(["RUN", "FILE", "GONE"]), max_size=5
)


@settings(max_examples=150)
@given(st.sampled_from([name for name in COMMANDS if name != "train"]), ARGUMENTS)
def test_arguments_of_other_commands_never_give_a_traceback(
    command: str, arguments: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("RUN").mkdir()
        Path("FILE").write_text("no run", encoding="utf-8")
        status, errors = in_process(command, arguments)
        assert status in (0, 1, 2)  # 1: the doctor found something
        assert "Traceback" not in errors


@pytest.mark.parametrize(
    "argv",
    [
        ["train", "--config", "FILE", "--agent.gamma", "[1"],
        ["evaluate", "FILE", "--episodes", "nan"],
        ["plot", "GONE", "-o", "x.png"],
    ],
    ids=" ".join,
)
def test_processes_too(argv: list[str], tmp_path: Path) -> None:
    (tmp_path / "FILE").write_bytes(b"env: {id: \xff}\n")
    done = subprocess.run(
        [sys.executable, "-m", "sac", *argv],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
