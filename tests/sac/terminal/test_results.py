"""Standard output that holds results alone, whoever else prints."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PRINTS = """
import ctypes, os, sys
from sac.terminal.results import kept_for_results
print("before")
try:
    with kept_for_results():
        print("Python")
        if sys.__stdout__ is not None:
            os.write(1, b"descriptor\\n")
        os.system("echo process")
        ctypes.CDLL(None).puts(b"C")
        if "fail" in sys.argv:
            raise ValueError
except ValueError:
    print("failed")
print("after")
"""


def run(shell: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run PRINTS by a shell that does with its streams what `shell` says."""
    return subprocess.run(
        ["sh", "-c", f'exec "$@" {shell}', "sh", sys.executable, "-c", PRINTS, *argv],
        # Empty, so that C keeps what it prints: the variable reaches the C library's streams too.
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""},
        capture_output=True,
        text=True,
        check=False,
    )


pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a shell, and the C library")


@pytest.mark.parametrize("argv", [[], ["fail"]])
def test_output_holds_the_results_alone(argv: list[str]) -> None:
    done = run("", *argv)
    assert done.stdout.split() == ["before", *(["failed"] if argv else []), "after"]
    assert sorted(done.stderr.split()) == ["C", "Python", "descriptor", "process"]


def test_nothing_else_is_printed_where_there_is_no_standard_error() -> None:
    assert run("2>&-").stdout.split() == ["before", "after"]


def test_output_that_is_closed_is_left_alone() -> None:
    done = run(">&-")
    assert (done.returncode, done.stdout) == (0, "")
