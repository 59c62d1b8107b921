"""Workers that hang before their first step, and workers whose parent is gone."""

import functools
import multiprocessing
import os
import select
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from sac.config import EnvConfig
from sac.environments import make_vector_environment
from sac.environments.stepping import workers
from sac.errors import EnvironmentSetupError, EnvironmentStepError
from tests.sac.environments_for_tests import CopyingCountingEnv, TroubleEnv

ROOT = Path(__file__).parents[4]


class HangsAtWork(CopyingCountingEnv):
    """Hangs in the constructor, in a worker alone, after saying so to a file."""

    def __init__(self, told: str | None = None) -> None:
        super().__init__()
        if multiprocessing.parent_process() is not None:
            if told is not None:
                Path(told).write_text(str(os.getpid()), encoding="utf-8")
            time.sleep(3600)


def make_hanging(**keys: Any) -> None:
    config = EnvConfig(num_envs=2, vectorization="async", **keys)
    make_vector_environment(config, source=HangsAtWork)


def test_worker_that_hangs_while_it_starts_is_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(EnvironmentSetupError, match=r"longer than env\.step_timeout, 0\.5 seconds"):
        make_hanging(step_timeout=0.5)
    assert not multiprocessing.active_children()
    waiting = "still waiting for async workers to make their environments\n"
    assert capsys.readouterr().err == waiting


def test_interrupt_while_workers_start_ends_them() -> None:
    with pytest.raises(KeyboardInterrupt), workers.starting_workers(None):
        context = multiprocessing.get_context("spawn")
        context.Process(target=time.sleep, args=(3600,)).start()
        raise KeyboardInterrupt
    assert not multiprocessing.active_children()


def test_worker_that_hangs_ends_some_time_after_its_parent(tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
            import functools
            from sac.config import EnvConfig
            from sac.environments import make_vector_environment
            from tests.sac.environments.stepping.test_starting import HangsAtWork

            if __name__ == "__main__":
                source = functools.partial(HangsAtWork, {str(told)!r})
                make_vector_environment(EnvConfig(vectorization="async"), source=source)
        """),
        encoding="utf-8",
    )
    parent = subprocess.Popen([sys.executable, script], env=os.environ | {"PYTHONPATH": str(ROOT)})
    while not (told.exists() and told.read_text(encoding="utf-8")):
        assert parent.poll() is None
        time.sleep(0.05)
    worker = os.pidfd_open(int(told.read_text(encoding="utf-8")))
    parent.terminate()
    parent.wait()
    assert select.select([worker], [], [], 60)[0], "the worker is an orphan"
    os.close(worker)


@pytest.mark.parametrize("trouble", ["error", "reset"])
def test_error_in_a_worker_says_where(trouble: str) -> None:
    environment = make_vector_environment(
        EnvConfig(vectorization="async"), source=functools.partial(TroubleEnv, trouble)
    )
    with pytest.raises(EnvironmentStepError, match=r"environments_for_tests\.py, line \d+\)\n"):
        environment.reset()
        for _ in range(3):
            environment.step(environment.action_space.sample()[None])
