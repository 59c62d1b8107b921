"""Environments in processes of their own, which ignore signals and cannot hang this process."""

import contextlib
import multiprocessing
import os
import select
import signal
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Iterator
from multiprocessing import connection, forkserver, resource_tracker, util
from multiprocessing.connection import Connection
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv
from gymnasium.vector.async_vector_env import _async_worker

from sac.errors import EnvironmentSetupError, EnvironmentStepError, SACError, WorkerLostError, told
from sac.seeding import seed_globals
from sac.terminal.interrupt import SIGNALS
from sac.terminal.output import lasting_output, say

ALIVE_SECONDS = 1.0  # between checks of whether a silent worker is alive
SALVAGE_SECONDS = 10.0  # for a worker to finish its step and send its recording
CLOSING_SECONDS = 5.0  # for an environment to close its windows and files
STARTING_SECONDS = 30.0  # until a line says that workers still start
POLL_SECONDS = 0.1
FAILURE = "sac_worker_failure"


def start_method() -> str:
    """Return how workers start: not by fork, which copies the locks of this process's threads."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return "spawn"
    # The server imports for all workers: all but the first start ten times as fast.
    multiprocessing.get_context("forkserver").set_forkserver_preload(["__main__", __name__])
    with _ignored_signals():  # which these processes inherit
        resource_tracker.ensure_running()
        forkserver.ensure_running()
    return "forkserver"


@contextlib.contextmanager
def _ignored_signals() -> Iterator[None]:
    """Ignore all signals during the block, in the main thread, where Python lets us."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            if handler is not None:
                signal.signal(number, handler)


def run_worker(
    seed: int | None, index: int, make: Callable[[], gymnasium.Env], *arguments: Any
) -> None:
    """Serve one environment in this process, and leave all signals to the parent.

    `seed` is that of the first, for constructors that draw from the process's generators.

    A terminal sends Ctrl-C and its own end to every process, and a scheduler may send SIGTERM or
    SIGUSR1 to all of them. The parent still needs the environments then, for its checkpoint.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if seed is not None:
        seed_globals(seed + index)
    # If the parent was killed, end without a message.
    with lasting_output(), contextlib.suppress(EOFError, ConnectionError):
        _async_worker(index, lambda: Reporting(make()), *arguments)


def _end_with_parent() -> None:
    """End this process some time after its parent, even if the environment hangs."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    time.sleep(CLOSING_SECONDS)
    os._exit(1)


@contextlib.contextmanager
def starting_workers(timeout: float | None) -> Iterator[None]:
    """End the workers that start during the block if it fails, or takes longer than `timeout`.

    EnvironmentSetupError after so many seconds; long before, a line says what is waited for.
    """
    others, is_done, is_late = set(multiprocessing.active_children()), threading.Event(), False

    def end() -> None:
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
            process.join()

    def watch() -> None:
        nonlocal is_late
        if is_done.wait(STARTING_SECONDS if timeout is None else min(timeout, STARTING_SECONDS)):
            return
        say("still waiting for async workers to make their environments", sys.stderr)
        if timeout is not None and not is_done.wait(timeout - STARTING_SECONDS):
            is_late = True
            while not is_done.wait(POLL_SECONDS):  # some may start only now
                end()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    except BaseException as error:
        end()
        if is_late:
            raise EnvironmentSetupError(
                f"async workers took longer than env.step_timeout, {timeout:g} seconds, to make "
                "their environments, and were stopped; raise the limit if they are only slow"
            ) from error
        raise
    finally:
        is_done.set()
        watching.join()


class Reporting(gymnasium.Wrapper):
    """Reports an exception as text under `FAILURE` in the info.

    AsyncVectorEnv sends the exception itself, and waits forever for one that can't be pickled.
    """

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset, or report."""
        try:
            return self.env.reset(**kwargs)
        except Exception as error:
            return self.observation_space.sample(), _report(error)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Step, or report."""
        try:
            return self.env.step(action)  # type: ignore[return-value]
        except Exception as error:
            return self.observation_space.sample(), 0.0, False, False, _report(error)


def _report(error: Exception) -> dict[str, Any]:
    if isinstance(error, SACError):  # of the library's own: the message says enough
        return {FAILURE: f": {error}\n{traceback.format_exc()}"}
    place = traceback.extract_tb(error.__traceback__)[-1]
    headline = told(error)
    where = f"({place.filename}, line {place.lineno})"
    return {FAILURE: f" raised {headline} {where}\n{traceback.format_exc()}"}


class AsyncWorkers:
    """Steps an AsyncVectorEnv; WorkerLostError if a worker dies or hangs.

    EnvironmentStepError if an environment raises. Either error ends all workers. After a loss,
    `salvaged` holds the recordings of the other workers, and None for the lost ones.
    """

    def __init__(self, env: AsyncVectorEnv, timeout: float | None) -> None:
        self.salvaged: list[Any] | None = None
        self._env = env
        self._timeout = timeout
        self._answered = [_poller(pipe) for pipe in env.parent_pipes]
        # Python ends its child processes by SIGTERM, which these ignore, and then waits for them.
        util.Finalize(None, _close_at_exit, (weakref.ref(env),), exitpriority=10)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Reset as AsyncVectorEnv does, within the time limit."""
        with self._watched():
            self._env.reset_async(seed, options)
            self._wait(self._timeout)
            observations, infos = self._env.reset_wait()
        self._raise_failure(infos)
        return observations, infos

    def step(self, actions: np.ndarray) -> Any:
        """Step as AsyncVectorEnv does, within the time limit."""
        with self._watched():
            self._env.step_async(actions)
            self._wait(self._timeout)
            result = self._env.step_wait()
        self._raise_failure(result[-1])
        return result

    def call_each(self, name: str, values: list[Any] | None, steps: int) -> list[Any]:
        """Call a method of every environment, within the time limit of so many steps."""
        with self._watched():
            if values is not None:
                self._env.set_attr("to_load", values)
            self._env.call_async(name)
            self._wait(None if self._timeout is None else self._timeout * steps)
            return list(self._env.call_wait())

    def _wait(self, timeout: float | None) -> None:
        """Wait for all answers; TimeoutError after the timeout, EOFError for a dead worker."""
        deadline = None if timeout is None else time.monotonic() + timeout
        for answered in self._answered:
            while True:
                left = ALIVE_SECONDS if deadline is None else deadline - time.monotonic()
                if answered(max(0.0, min(left, ALIVE_SECONDS))):
                    break
                if not all(process.is_alive() for process in self._env.processes):
                    raise EOFError
                if left <= 0:
                    raise multiprocessing.TimeoutError

    @contextlib.contextmanager
    def _watched(self) -> Any:
        try:
            yield
        except multiprocessing.TimeoutError as error:
            silent = [i for i, answered in enumerate(self._answered) if not answered(0.0)]
            self._give_up(silent)
            raise WorkerLostError(
                f"environment {' and '.join(map(str, silent))} took longer than env.step_timeout, "
                f"{self._timeout:g} seconds, and was stopped; raise the limit if it is only slow"
            ) from error
        except (EOFError, OSError) as error:
            sentinels = [process.sentinel for process in self._env.processes]
            connection.wait(sentinels, timeout=1.0)  # for their exit statuses
            codes = {i: process.exitcode for i, process in enumerate(self._env.processes)}
            dead = {i: code for i, code in codes.items() if code is not None}
            self._give_up(list(dead))
            raise WorkerLostError(
                "the process of an environment died (exit status by environment: "
                f"{dead or 'not known'}); a lack of memory or a crash of its library do that"
            ) from error

    def _give_up(self, lost: list[int]) -> None:
        """Ask the others for their recordings, then end all workers."""
        pipes = self._env.parent_pipes
        others = [i for i in range(len(pipes)) if i not in lost]
        self.salvaged = [None] * len(pipes)
        for i in others:
            with contextlib.suppress(OSError):
                pipes[i].send(("_call", ("recording", (), {})))
        deadline = time.monotonic() + SALVAGE_SECONDS
        for i in others:
            self.salvaged[i] = self._recording(i, deadline)
        close_workers(self._env, patience=0.0)

    def _recording(self, index: int, deadline: float) -> Any:
        pipe = self._env.parent_pipes[index]
        try:
            while self._answered[index](max(0.0, deadline - time.monotonic())):
                answer, is_success = pipe.recv()
                if not isinstance(answer, tuple):  # a tuple answers the step or reset that failed
                    return answer if is_success else None
        except (EOFError, OSError):
            pass
        return None

    def _raise_failure(self, infos: dict[str, Any]) -> None:
        failure = failure_in(infos)
        if failure is not None:
            close_workers(self._env)
            raise failure


def failure_in(infos: dict[str, Any]) -> EnvironmentStepError | None:
    """Return the error that an environment has raised in its process, if one did."""
    if FAILURE not in infos:
        return None
    reports = infos[FAILURE]
    index = next(i for i, report in enumerate(reports) if report is not None)
    headline, trace = reports[index].split("\n", 1)
    failure = EnvironmentStepError(f"environment {index}{headline}")
    failure.add_note(f"In its process:\n{trace}")
    return failure


def _poller(pipe: Connection) -> Callable[[float], bool]:
    """Return a function that waits so many seconds for a message, or for the pipe to close.

    `pipe.poll` takes six times as long, as it registers the pipe each time.
    """
    if not hasattr(select, "poll"):  # Windows
        return pipe.poll
    poll = select.poll()
    poll.register(pipe.fileno(), select.POLLIN)
    return lambda seconds: bool(poll.poll(1000 * seconds))


def _close_at_exit(reference: "weakref.ref[AsyncVectorEnv]") -> None:
    env = reference()
    if env is not None:
        close_workers(env)


def close_workers(env: AsyncVectorEnv, patience: float = CLOSING_SECONDS) -> None:
    """Let the workers close their environments, and kill them after `patience` seconds.

    AsyncVectorEnv.close waits for a worker that hangs, and raises for one that died.
    """
    if env.closed:
        return
    pipes = [pipe for pipe in env.parent_pipes if pipe is not None and not pipe.closed]
    for pipe in pipes:
        with contextlib.suppress(OSError):
            pipe.send(("close", None))
    deadline = time.monotonic() + patience
    for process in env.processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
    for pipe in pipes:
        pipe.close()
    env.closed = True
