"""Signals: the guard alone, and real trainings that a signal ends or saves."""

import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from sac.terminal.interrupt import InterruptGuard
from tests.sac.tiny_runs import FAILING, MODULE, checkpoint_steps, metrics, tiny_options

ROOT = Path(__file__).parents[3]
LONG = {"train": {"total_steps": 1_000_000}}
ENDLESS_SECONDS = 60  # no test waits this long unless something is broken


# The guard.


@pytest.fixture(autouse=True)
def handlers_are_put_back() -> Iterator[None]:
    """Begin as in a terminal, wherever the tests run: a shell's `&` has Ctrl-C ignored."""
    usual: dict[int, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
        signal.SIGUSR1: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    after = {number: signal.signal(number, handler) for number, handler in before.items()}
    assert after == usual


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_first_signal_is_noted_and_acknowledged(
    capfd: pytest.CaptureFixture[str], number: int
) -> None:
    with InterruptGuard() as interrupt:
        assert interrupt.received is None
        signal.raise_signal(number)
        assert interrupt.received == number
    assert "stopping: a checkpoint will be saved" in capfd.readouterr().err


def test_second_signal_acts_as_ever() -> None:
    with InterruptGuard():
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_terminal_that_closes_kills_nothing() -> None:
    """It sends the signal twice, and perhaps while Ctrl-C is being answered."""
    with InterruptGuard() as interrupt:
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGHUP):
            signal.raise_signal(number)
        assert interrupt.received == signal.SIGINT


def test_request_for_a_checkpoint_ends_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with InterruptGuard() as interrupt:
        signal.raise_signal(signal.SIGUSR1)
        assert interrupt.wants_checkpoint and interrupt.received is None
        interrupt.wants_checkpoint = False
        signal.raise_signal(signal.SIGUSR1)
        assert interrupt.wants_checkpoint
    assert not capfd.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="a mutex is laid out otherwise")
@pytest.mark.parametrize("times", [1, 2])
def test_signal_is_acknowledged_while_a_call_into_c_lasts(times: int) -> None:
    """As a product of large matrices does: Python's own handlers run only after it."""
    libc, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
    libc.pthread_mutex_lock(mutex)
    standard_error, (received, sent) = os.dup(2), os.pipe()
    notices: list[bytes] = []

    def interrupt_and_read() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        if select.select([received], [], [], ENDLESS_SECONDS)[0]:
            notices.append(os.read(received, 1000))
        if times == 2:
            os.kill(os.getpid(), signal.SIGINT)
        libc.pthread_mutex_unlock(mutex)

    os.dup2(sent, 2)
    try:
        second = pytest.raises(KeyboardInterrupt) if times == 2 else nullcontext()
        with InterruptGuard() as interrupt, second:
            thread = threading.Thread(target=interrupt_and_read)
            thread.start()
            libc.pthread_mutex_lock(mutex)  # returns once the notice was read
            thread.join()
            while times == 2:  # the second one is about to arrive
                time.sleep(0.01)
        assert interrupt.received == signal.SIGINT
    finally:
        os.dup2(standard_error, 2)
        for file in (standard_error, received, sent):
            os.close(file)
    assert len(notices) == 1 and b"stopping" in notices[0]


def test_handlers_are_put_back_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), InterruptGuard():
        raise ZeroDivisionError


def test_signal_that_is_ignored_stays_ignored() -> None:
    """As in a program that nohup or a shell's `&` started."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with InterruptGuard() as interrupt:
            signal.raise_signal(signal.SIGINT)
            assert interrupt.received is None
            signal.raise_signal(signal.SIGTERM)
            assert interrupt.received == signal.SIGTERM
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_cannot_take_signals_and_train_all_the_same() -> None:
    received: list[int | None] = []

    def guarded() -> None:
        with InterruptGuard() as interrupt:
            received.append(interrupt.received)

    thread = threading.Thread(target=guarded)
    thread.start()
    thread.join()
    assert received == [None]


# A real training.


def start(*options: object, **keywords: Any) -> subprocess.Popen[str]:
    """A training in a process group of its own, as a terminal starts it."""
    command = [sys.executable, "scripts/train.py", *map(str, options)]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **keywords,
    )


def wait_for(stream: object, text: str) -> str:
    """Read lines until one holds the text, and return it."""
    for line in stream:  # type: ignore[attr-defined]
        if text in line:
            return str(line)
    pytest.fail(f"the training ended without {text!r}")


def type_ctrl_c(training: subprocess.Popen[str]) -> None:
    """A terminal sends it to every process of the group, the workers included."""
    os.killpg(training.pid, signal.SIGINT)


ASYNC = ["--env.num_envs", "2", "--env.vectorization", "async"]


def end(training: subprocess.Popen[str]) -> tuple[int, str, str]:
    try:
        out, err = training.communicate(timeout=ENDLESS_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(training.pid, signal.SIGKILL)
        raise
    return training.returncode, out, err


def only_run(root: Path) -> Path:
    (run,) = root.iterdir()
    return run


@pytest.mark.parametrize(
    ("number", "status", "options", "to_all"),
    [
        (signal.SIGINT, 130, [], True),
        (signal.SIGINT, 130, ASYNC, True),
        (signal.SIGTERM, 143, [], False),  # some schedulers send it to the one process
        (signal.SIGTERM, 143, ASYNC, True),  # some to all
        (signal.SIGHUP, 129, [], True),
        (signal.SIGHUP, 129, ASYNC, True),
    ],
)
def test_signal_saves_a_checkpoint_from_which_the_run_goes_on(
    tmp_path: Path, number: int, status: int, options: list[str], to_all: bool
) -> None:
    training = start("--env.id", "CartPole-v1", *tiny_options(tmp_path, LONG), *options)
    wait_for(training.stdout, "evaluation at step 30")
    if to_all:
        os.killpg(training.pid, number)
    else:
        training.send_signal(number)
    returncode, out, err = end(training)
    assert returncode == status
    assert err == "\nstopping: a checkpoint will be saved (once more to stop at once)\n"
    run = only_run(tmp_path)
    assert f"Run directory: {run}\n" in out
    assert f"  python scripts/train.py --resume {run}\n" in out
    last = checkpoint_steps(run)[-1]
    assert f"Steps: {last:,} of 1,000,000\n" in out
    assert int(metrics(run)[-1]["step"]) <= last

    resumed = start("--resume", run, "--train.total_steps", last + 10)
    returncode, out, err = end(resumed)
    assert (returncode, err) == (0, "")
    step = checkpoint_steps(run)[-1]
    assert last + 10 <= step <= last + 11
    assert int(metrics(run)[-1]["step"]) == step


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_twice_stops_at_once_what_does_not_come_to_a_safe_place(
    tmp_path: Path, vectorization: str
) -> None:
    training = start(
        *("--env.id", f"{MODULE}:{FAILING}", "--env.kwargs.hangs_at", 25),
        *("--env.vectorization", vectorization, *tiny_options(tmp_path, LONG)),
    )
    wait_for(training.stderr, "hanging")
    type_ctrl_c(training)
    wait_for(training.stderr, "stopping")
    type_ctrl_c(training)
    returncode, _, err = end(training)
    assert returncode == 130
    assert "Traceback" not in err
    assert checkpoint_steps(only_run(tmp_path)) == [20]


@pytest.mark.parametrize("options", [[], ASYNC], ids=["sync", "async"])
def test_request_saves_a_checkpoint_and_the_training_goes_on(
    tmp_path: Path, options: list[str]
) -> None:
    training = start("--env.id", "CartPole-v1", *tiny_options(tmp_path, LONG), *options)
    wait_for(training.stdout, "evaluation at step 30")
    os.killpg(training.pid, signal.SIGUSR1)  # as schedulers do, to the workers too
    line = wait_for(training.stdout, "SIGUSR1: saved at step ")
    step = int(line.rpartition(" ")[2].replace(",", ""))
    wait_for(training.stdout, "evaluation at step")
    type_ctrl_c(training)
    assert end(training)[0] == 130
    run = only_run(tmp_path)
    assert checkpoint_steps(run)[-1] > step


def test_signal_gets_out_of_an_evaluation_that_never_ends(tmp_path: Path) -> None:
    endless = "tests.sac.environments_for_tests:TroubleForTests-v0"
    options = ["--evaluation.max_steps", "null", *tiny_options(tmp_path)]
    training = start("--env.id", endless, *options)
    wait_for(training.stdout, "step 30/60")
    training.send_signal(signal.SIGTERM)
    assert end(training)[0] == 143
    assert checkpoint_steps(only_run(tmp_path))[-1] == 30


def test_training_under_nohup_outlives_its_terminal(tmp_path: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    training = start("--env.id", "CartPole-v1", *tiny_options(tmp_path), preexec_fn=ignore)
    wait_for(training.stdout, "evaluation at step 30")
    os.killpg(training.pid, signal.SIGHUP)
    assert end(training)[0] == 0
    assert checkpoint_steps(only_run(tmp_path))[-1] == 60


def test_reader_that_leaves_does_not_end_the_training(tmp_path: Path) -> None:
    training = start("--env.id", "CartPole-v1", *tiny_options(tmp_path))
    assert training.stdout is not None
    training.stdout.readline()
    training.stdout.close()
    training.stdout = None
    returncode, _, err = end(training)
    assert (returncode, err) == (0, "")
    assert checkpoint_steps(only_run(tmp_path))[-1] == 60
