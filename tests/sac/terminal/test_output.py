"""Output that fails: dropped, and tried again, by a training; an error of what prints a result."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sac.terminal.output import Lasting, Screen, is_terminal, lasting_output, say
from sac.terminal.progress import Progress
from tests.sac.tiny_runs import MODULE, NOISY, checkpoint_steps, tiny_config, tiny_options

ROOT = Path(__file__).parents[3]
FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no file here that is always full")


class FullDisk(io.RawIOBase):
    """A file on a disk that is full until `has_room`."""

    def __init__(self) -> None:
        self.has_room = False
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if not self.has_room:
            raise OSError(28, "No space left on device")
        self.content += bytes(data)
        return len(data)


def test_lines_are_dropped_while_the_disk_is_full_and_written_once_it_has_room() -> None:
    disk = FullDisk()
    stream = io.TextIOWrapper(io.BufferedWriter(disk), "utf-8")
    say("lost", stream)
    disk.has_room = True
    say("shown", stream)
    assert disk.content.endswith(b"shown\n")


@needs_full
def test_what_could_not_be_written_does_not_fail_later() -> None:
    stream = open(FULL, "w", encoding="utf-8")
    lasting = Lasting(stream)
    print("lost", file=lasting, flush=True)
    assert isinstance(lasting.error, OSError)
    stream.close()


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", "\\xe9"), ("utf-8", "é")])
def test_letters_that_an_encoding_lacks_are_written_as_escapes(encoding: str, shown: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding)
    say("runs/é\udcff", stream)
    stream.seek(0)
    assert stream.read() == f"runs/{shown}\\udcff\n"


def test_streams_that_are_closed_take_nothing() -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        say("nobody reads this", stream)
    assert not is_terminal(None)


class LostTerminal(io.StringIO):
    """A terminal whose window was closed."""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")


def test_terminal_that_is_gone_does_not_end_what_is_drawn_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with Progress(10, stream=LostTerminal()) as progress:
        assert isinstance(progress._display, Screen)
        progress.update(1)
        progress.message("evaluation")


def test_output_of_python_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    before = sys.stdout, sys.stderr
    with lasting_output():
        print("dropped")
    assert (sys.stdout, sys.stderr) == before


# Real commands.


def in_a_shell(redirection: str, *argv: object) -> subprocess.CompletedProcess[str]:
    """Run a command with its output redirected by a shell."""
    shell = ["sh", "-c", f'exec "$@" {redirection}', "sh"]
    return subprocess.run(
        [*shell, sys.executable, *map(str, argv)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def noisy(root: Path, *options: object) -> list[object]:
    return ["-m", "sac", "train", "--env.id", f"{MODULE}:{NOISY}", *tiny_options(root), *options]


@needs_full
@pytest.mark.parametrize(
    "options", [[], ["--env.num_envs", 2, "--env.vectorization", "async"]], ids=["sync", "async"]
)
def test_full_disk_under_the_output_ends_no_training(tmp_path: Path, options: list[object]) -> None:
    done = in_a_shell("> /dev/full", *noisy(tmp_path, *options))
    assert done.returncode == 0, done.stderr
    assert "closing" in done.stderr and "No space" not in done.stderr
    (run,) = tmp_path.iterdir()
    assert checkpoint_steps(run)[-1] == 60


@pytest.mark.parametrize("redirection", [">&-", ">&- 2>&-", ">&- 2>&- <&-"])
def test_closed_output_ends_no_training(tmp_path: Path, redirection: str) -> None:
    done = in_a_shell(redirection, *noisy(tmp_path))
    assert done.returncode == 0, done.stderr
    (run,) = tmp_path.iterdir()
    assert checkpoint_steps(run)[-1] == 60


def test_no_file_takes_the_number_of_a_standard_one(tmp_path: Path) -> None:
    """What libraries print from C would go into it."""
    code = f"""if True:
        import os
        from sac.cli import main
        main(["train", "--env.id", "CartPole-v1", "--print_config"])
        with open({str(tmp_path / "file")!r}, "w") as file:
            print(file.fileno(), file=file)
    """
    assert in_a_shell(">&- 2>&- <&-", "-c", code).returncode == 0
    assert int((tmp_path / "file").read_text(encoding="utf-8")) > 2


@needs_full
def test_results_that_could_not_be_printed_are_an_error() -> None:
    done = in_a_shell(
        "> /dev/full", "-m", "sac", "train", "--env.id", "CartPole-v1", "--print_config"
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: the results could not be printed: [Errno 28] No space left on device\n"
    )


def test_path_that_the_encoding_of_the_output_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii:strict")
    options = ["-m", "sac", "train", "--env.id", "CartPole-v1", *tiny_options(tmp_path / "é")]
    done = in_a_shell("", *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\xe9" in done.stdout


# From Python.


def test_training_from_python_outlives_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sac import train

    monkeypatch.setattr(sys, "stdout", LostTerminal())
    config = tiny_config(tmp_path, {"env": {"id": f"{MODULE}:{NOISY}"}})
    with pytest.warns(RuntimeWarning, match="closing .* failed: ConnectionError: the port is gone"):
        result = train(config)
    assert result.step == 60
