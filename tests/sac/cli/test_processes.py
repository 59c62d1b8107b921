"""The commands as a shell sees them, and what they leave unimported so that they answer at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
COMMANDS = [
    ["scripts/train.py"],
    ["-m", "sac", "train"],
    ["scripts/evaluate.py"],
    ["-m", "sac", "evaluate"],
    ["scripts/plot.py"],
    ["scripts/export.py"],
    ["scripts/doctor.py"],
]
SLOW_TO_IMPORT = ["numpy", "gymnasium", "autograd", "tensorboard", "rich", "matplotlib"]


def python(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *argv],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_refusal_has_status_2_and_no_traceback(command: list[str]) -> None:
    done = python(*command, "--seed", "-1", "--config", "nowhere.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert not done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_names_the_command_as_it_was_called(command: list[str]) -> None:
    done = python(*command, "--help")
    assert done.returncode == 0
    name = "python -m sac" if command[0] == "-m" else Path(command[0]).name
    assert done.stdout.startswith(f"usage: {name} ")


def test_undecodable_argument_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/train.py", "--env.id", b"\xff"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: env.id: expected text, got ")


def test_commands_import_nothing_slow_before_they_need_it() -> None:
    done = python(
        "-c", f"import sys, sac.cli; print([m for m in {SLOW_TO_IMPORT} if m in sys.modules])"
    )
    assert done.stdout == "[]\n"


def test_sac_itself_imports_nothing_until_it_is_asked() -> None:
    done = python(
        "-c",
        "import sys, sac; print('sac.config' in sys.modules); from sac import Config; "
        "print(Config.__module__, hasattr(sac, 'nothing'), dir(sac))",
    )
    names = "Batch Callback Config Report SACAgent Trainer evaluate train".split()
    assert done.stdout == f"False\nsac.config.schema False {names}\n"
