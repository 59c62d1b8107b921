"""Environments in processes of their own, which leave Ctrl-C to this one and cannot hang it."""

import contextlib
import multiprocessing
import signal
import time
import traceback
from collections.abc import Callable
from multiprocessing import connection
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv
from gymnasium.vector.async_vector_env import _async_worker

from sac.errors import EnvironmentStepError

CLOSING_SECONDS = 5.0  # for an environment to close its windows and files
FAILURE = "sac_worker_failure"


def start_method() -> str:
    """Return how workers start: never by fork, which copies the locks of this process's threads."""
    has_forkserver = "forkserver" in multiprocessing.get_all_start_methods()
    return "forkserver" if has_forkserver else "spawn"


def run_worker(index: int, make: Callable[[], gymnasium.Env], *arguments: Any) -> None:
    """Serve one environment in this process; Ctrl-C in the terminal is left to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _async_worker(index, lambda: _Reporting(make()), *arguments)


class _Reporting(gymnasium.Wrapper):
    """Reports an exception as text under `FAILURE` in the info.

    AsyncVectorEnv sends the exception itself, and waits forever for one that can't be pickled.
    """

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        try:
            return self.env.reset(**kwargs)
        except Exception as error:
            return self.observation_space.sample(), _report(error)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        try:
            return self.env.step(action)  # type: ignore[return-value]
        except Exception as error:
            return self.observation_space.sample(), 0.0, False, False, _report(error)


def _report(error: Exception) -> dict[str, Any]:
    return {FAILURE: f"{type(error).__name__}: {error}\n{traceback.format_exc()}"}


class AsyncWorkers:
    """Steps an AsyncVectorEnv; EnvironmentStepError where a worker fails, dies or hangs."""

    def __init__(self, env: AsyncVectorEnv, timeout: float | None) -> None:
        self._env = env
        self._timeout = timeout

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Reset as AsyncVectorEnv does, within the time limit."""
        with self._watched():
            self._env.reset_async(seed, options)
            observations, infos = self._env.reset_wait(self._timeout)
        self._raise_failure(infos)
        return observations, infos

    def step(self, actions: np.ndarray) -> Any:
        """Step as AsyncVectorEnv does, within the time limit."""
        with self._watched():
            self._env.step_async(actions)
            result = self._env.step_wait(self._timeout)
        self._raise_failure(result[-1])
        return result

    def call_each(self, name: str, values: list[Any] | None, steps: int) -> list[Any]:
        """Call a method of every environment, which may take the time of so many steps."""
        with self._watched():
            if values is not None:
                self._env.set_attr("to_load", values)
            self._env.call_async(name)
            timeout = None if self._timeout is None else self._timeout * steps
            return list(self._env.call_wait(timeout))

    @contextlib.contextmanager
    def _watched(self) -> Any:
        try:
            yield
        except multiprocessing.TimeoutError as error:
            close_workers(self._env, patience=0.0)
            raise EnvironmentStepError(
                f"an environment took longer than env.step_timeout, {self._timeout} seconds, and "
                "was stopped; raise the limit if the environment is only slow"
            ) from error
        except (EOFError, OSError) as error:
            sentinels = [process.sentinel for process in self._env.processes]
            connection.wait(sentinels, timeout=1.0)  # until the exit status is known
            codes = {i: process.exitcode for i, process in enumerate(self._env.processes)}
            dead = {i: code for i, code in codes.items() if code is not None}
            close_workers(self._env, patience=0.0)
            raise EnvironmentStepError(
                "the process of an environment died (exit status by environment: "
                f"{dead or 'not known'}); a lack of memory or a crash of its library do that"
            ) from error

    def _raise_failure(self, infos: dict[str, Any]) -> None:
        if FAILURE not in infos:
            return
        reports = infos[FAILURE]
        index = next(i for i, report in enumerate(reports) if report is not None)
        headline, trace = reports[index].split("\n", 1)
        close_workers(self._env)
        failure = EnvironmentStepError(f"environment {index} raised {headline}")
        failure.add_note(f"In its process:\n{trace}")
        raise failure


def close_workers(env: AsyncVectorEnv, patience: float = CLOSING_SECONDS) -> None:
    """Let the workers close their environments, and kill those not done after `patience` seconds.

    AsyncVectorEnv.close waits for a worker that hangs, and fails on one that died.
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
